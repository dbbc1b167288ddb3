import { postMost } from './broadcasts/post-text.ts';
import { mostSeptets, mostUnits } from './channels/sms/segments.ts';
import { mostPlaintext } from './channels/web-push/payload.ts';
import { mostThing } from './channels/wechat/template-fields.ts';
import { mostOnce } from './channels/wechat/wechat-channel.ts';
import { type FeedFormat, feedFiles } from './feeds/feed-source.ts';
import { mediaTypes } from './feeds/render.ts';
import type { ChannelName } from './subscriptions/follow.ts';

type Broadcast = 'weibo' | FeedFormat | 'cap' | 'webSub' | 'webhook';

/** What a channel can and cannot do, as docs/channels.md says it. `sends`: messages leave by it. */
type ChannelFacts = {
  what: string;
  sends: boolean;
  proof: string;
  length: string;
  links: string;
  cost: string;
  optOut: string;
};

/** To one person each. */
export const personalChannels: Record<ChannelName, ChannelFacts> = {
  email: {
    what: 'email',
    sends: true,
    proof: "none: the receiving server's answer is kept, and a bounce when it comes",
    length: 'as long as the notice; the text and a link',
    links: 'yes, counted unless the person does not want it',
    cost: 'that of your mail server',
    optOut: 'one click (RFC 8058), a link in each mail',
  },
  webPush: {
    what: 'web push',
    sends: true,
    proof: "the service worker's report that it was shown",
    length: `${mostPlaintext} bytes (RFC 8291), of which a title and two sentences are used`,
    links: 'the message is one',
    cost: 'none',
    optOut: 'in the browser, or under My notifications',
  },
  sms: {
    what: 'SMS',
    sends: true,
    proof: "the provider's receipt",
    length: `${mostSeptets.alone} characters, ${mostUnits.alone} with Chinese; longer ones in parts of ${mostSeptets.together} or ${mostUnits.together}`,
    links: 'one, short; some networks hold texts with links back',
    cost: 'for each part',
    optOut: 'a reply (STOP, TD, 退订 …), a link where it fits',
  },
  wechat: {
    what: 'WeChat official account',
    sends: true,
    proof: "WeChat's report that the message arrived",
    length: `the fields of your template, mostly ${mostThing} characters each; a one-time message ${mostOnce}`,
    links: 'one, to the notice',
    cost: "none; the account's quota a day",
    optOut: 'a reply (TD, 退订 …), unfollowing, or My notifications',
  },
};

const feedProof = 'none: nobody is told who reads';

/** For anybody who comes by. */
export const broadcastChannels: Record<Broadcast, ChannelFacts & { type: string }> = {
  weibo: {
    what: "Weibo, the office's account",
    type: 'application/x-www-form-urlencoded',
    sends: true,
    proof: 'the id of the post; not who reads it',
    length: `${postMost} characters as Weibo counts`,
    links: 'one, to the notice',
    cost: "none; the platform's limits an hour and a day",
    optOut: 'unfollowing there',
  },
  atom: {
    what: `Atom (\`${feedFiles.atom}\`)`,
    type: mediaTypes.atom,
    sends: false,
    proof: feedProof,
    length: 'the whole notice; the newest 50',
    links: 'the page of the notice, where the office published it, its alert',
    cost: 'none',
    optOut: 'in the reader',
  },
  json: {
    what: `JSON Feed (\`${feedFiles.json}\`)`,
    type: mediaTypes.json,
    sends: false,
    proof: feedProof,
    length: 'the whole notice; the newest 50',
    links: 'as Atom',
    cost: 'none',
    optOut: 'in the reader',
  },
  calendar: {
    what: `calendar of deadlines (\`${feedFiles.calendar}\`)`,
    type: mediaTypes.calendar,
    sends: false,
    proof: feedProof,
    length: 'title and summary',
    links: 'the page of the notice',
    cost: 'none',
    optOut: 'in the calendar',
  },
  cap: {
    what: 'alert of an emergency (CAP 1.2)',
    type: mediaTypes.cap,
    sends: false,
    proof: feedProof,
    length: 'the whole notice, in all its languages',
    links: 'the page of the notice, or where the office published it',
    cost: 'none',
    optOut: 'where it is taken up',
  },
  webSub: {
    what: 'WebSub (`WEBSUB_HUB`)',
    type: 'application/x-www-form-urlencoded',
    sends: true,
    proof: "the hub's 2xx, which says that it heard",
    length: 'the address of the feed that changed',
    links: 'only that',
    cost: "the hub's",
    optOut: 'at the hub',
  },
  webhook: {
    what: 'webhook (docs/webhooks.md)',
    type: 'application/json',
    sends: true,
    proof: "the other system's 2xx",
    length: 'ids, title, counts; no addresses of people',
    links: 'none',
    cost: 'none',
    optOut: '`DELETE /webhooks/{id}`',
  },
};

const row = (cells: string[]): string => `| ${cells.join(' | ')} |`;

/** The table of docs/channels.md. */
export const channelTable = (): string =>
  [
    row(['channel', 'for', 'leaves by itself', 'proof of delivery', 'length', 'links', 'cost', 'opt-out']),
    '|---|---|---|---|---|---|---|---|',
    ...[
      ...Object.values(personalChannels).map((facts) => ({ ...facts, readers: 'one person' })),
      ...Object.values(broadcastChannels).map((facts) => ({ ...facts, readers: 'anybody' })),
    ].map(({ what, readers, sends, proof, length, links, cost, optOut }) =>
      row([what, readers, sends ? 'yes' : 'no', proof, length, links, cost, optOut]),
    ),
  ].join('\n');
