/**
 * **post**: one version of an item on the office's account, read by anybody. `sent` is there (`reference`: the provider's id of it);
 * `superseded` was overtaken by a later version; `off`: somebody switched posts of this item off, or there is nothing to post.
 */
type PostState = 'pending' | 'sent' | 'failed' | 'superseded' | 'off';

export type Post = {
  item: string;
  version: number;
  kind: 'publication' | 'correction' | 'withdrawal';
  state: PostState;
  attempts: number;
  dueAt: number;
  /** The last attempt is made at this moment. */
  giveUpAt: number;
  reference: string | null;
  /** Since when the provider may hold it without our having heard (ms); null while that is certain. */
  doubtSince: number | null;
  /** What the provider said last, or why nothing was asked of it. */
  response: string | null;
  at: number;
};

/** The part of a post that an attempt changes. */
export type AfterPosting = Pick<Post, 'state' | 'attempts' | 'dueAt' | 'reference' | 'doubtSince' | 'response'>;
