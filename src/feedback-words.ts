import { slot } from './channels/channel.ts';
import { fillSlots } from './channels/slots.ts';
import { splitSms } from './channels/sms/segments.ts';
import { honeypot } from './fanout/message-token.ts';
import type { FeedbackKind } from './feedback/feedback.ts';
import type { Text } from './text.ts';

/** How long a message's token is: 22 letters, the time, 22 of the MAC, with their dots; of a digest seven more. */
const tokenLength = { notification: 52, digest: 59 };

/** What can be said about one item, and about the message as a whole. */
const aboutItem = ['useful', 'not-for-me'] as const satisfies FeedbackKind[];
const aboutMessage = ['too-many', 'stop'] as const satisfies FeedbackKind[];

export const counted = (publicUrl: string): string => `${publicUrl}/c/${slot('token')}`;

/** What every mail says about saying something back: links by kind, the link that people do not see, the pixel where there is one. */
export const feedbackWords = (text: Text, { publicUrl, opens }: { publicUrl: string; opens: boolean }) => {
  const sayings = (kinds: readonly FeedbackKind[]) =>
    kinds.map((kind) => ({ kind, title: text(`messages:say.${kind}`) }));
  return {
    say: `${publicUrl}/f/${slot('token')}`,
    sayAsk: text('messages:say.ask'),
    sayShort: text('messages:say.short'),
    ownSayings: sayings(aboutItem),
    sayings: sayings([...aboutItem, ...aboutMessage]),
    messageSayings: sayings(aboutMessage),
    honeypot: `${counted(publicUrl)}~${honeypot}`,
    pixel: opens ? `${publicUrl}/o/${slot('token')}` : null,
  };
};

/** The five answers of a survey in words. */
export const surveyWords = (text: Text) =>
  [1, 2, 3, 4, 5].map((rating) => ({ rating, title: text(`messages:survey.${rating}`) }));

/** The buttons of a push, which the service worker reports. */
export const pushActions = (text: Text): { action: string; title: string }[] =>
  aboutItem.map((action) => ({ action, title: text(`messages:say.${action}`) }));

type SmsForms = {
  /** Renders the text with this link, and with a link to say something or without. */
  render(link: string, say: string | null): string;
  kind: 'notification' | 'digest';
  /** Where the plain link leads, for its length. */
  itemUrl: string;
  say: string;
  /** The counted link; null: it is not counted. */
  counted: string | null;
};

/** The richest text of those that cost no more parts than the plain one. */
export const roomySms = ({ render, kind, itemUrl, say, counted: link }: SmsForms): string => {
  const filled = { item: itemUrl, token: 'x'.repeat(tokenLength[kind]), unsubscribe: '', manage: '', reason: '' };
  const parts = (sms: string): number => splitSms(fillSlots(sms, filled)).bodies.length;
  const plain = render(slot('item'), null);
  const richer = [
    ...(link === null ? [] : [render(link, say)]),
    render(slot('item'), say),
    ...(link === null ? [] : [render(link, null)]),
  ];
  return richer.find((sms) => parts(sms) <= parts(plain)) ?? plain;
};
