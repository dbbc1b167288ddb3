import type { MessagePort } from 'node:worker_threads';
import { makeLru } from '../../lru.ts';
import type { Channel, SharedContent } from '../channel.ts';
import { failure } from '../result.ts';
import { contentsKept, type FromThread, type Job, type ToThread } from './wire.ts';

/** The thread's side of `makeRemoteChannel`: sends what comes through the port; answers go back a turn's worth at a time. */
export const serveChannel = (channel: Channel, port: Pick<MessagePort, 'on' | 'postMessage' | 'close'>): void => {
  const contents = makeLru<SharedContent>(contentsKept);
  const groups = new Map<number, { abort: AbortController; jobs: number }>();
  let answers: FromThread = [];

  const answer = (one: FromThread[number]): void => {
    if (answers.length === 0)
      setImmediate(() => {
        port.postMessage(answers);
        answers = [];
      });
    answers.push(one);
  };

  const groupOf = (no: number) => {
    const group = groups.get(no) ?? { abort: new AbortController(), jobs: 0 };
    groups.set(no, group);
    return group;
  };

  const send = async ({ no, id, to, content: key, slots, group: groupNo }: Job): Promise<void> => {
    const content = contents.get(key);
    const group = groupOf(groupNo);
    group.jobs += 1;
    const result = content
      ? await channel.send({ id, to, content, slots }, group.abort.signal)
      : failure(channel.name, { kind: 'transient', reason: 'aborted' }, 'the content has not come through');
    answer({ no, result });
    group.jobs -= 1;
    if (group.jobs === 0) groups.delete(groupNo);
  };

  port.on('message', (message: ToThread) => {
    if (message.kind === 'abort') groups.get(message.group)?.abort.abort();
    if (message.kind === 'close') void channel.close().finally(() => port.close());
    if (message.kind !== 'send') return;
    for (const content of message.contents) contents.set(content.key, content);
    for (const job of message.jobs) void send(job);
  });
};
