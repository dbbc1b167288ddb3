import type { Contact } from '../../subscriptions/subscriber.ts';
import type { SendResult, SharedContent, Slots } from '../channel.ts';

/** One message as it crosses to the thread: its content goes once, in `contents`, and is named by its key from then on. */
export type Job = { no: number; id: string; to: Contact; content: string; slots: Slots; group: number };

/** To the thread: contents before the jobs that name them; groups of jobs that are to stop; the end. */
export type ToThread =
  | { kind: 'send'; contents: SharedContent[]; jobs: Job[] }
  | { kind: 'abort'; group: number }
  | { kind: 'close' };

/** From the thread: what became of jobs. */
export type FromThread = { no: number; result: SendResult }[];

/** Contents that both sides remember; the thread remembers more, so that it never forgets one that the other still names. */
export const contentsNamed = 100;
export const contentsKept = 200;
