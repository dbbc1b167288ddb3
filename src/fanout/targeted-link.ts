import type { PublicItem } from '../catalogue/item-reader.ts';
import type { Edges } from '../edges.ts';
import type { Keyring } from '../keyring.ts';
import { readLink } from '../signed-link.ts';
import type { Storage } from '../storage/storage.ts';

/** The item as it stands now behind a recipient's signed link, or null when the link is not for it. */
export type OpenTargeted = (item: string, token: string) => Promise<PublicItem | null>;

/**
 * A targeted item opens only through the link in a message about it (api: visibility): the token names the message, the
 * message its push, the push its item. The link never expires; a withdrawn item says so.
 */
export const makeOpenTargeted =
  (
    stores: Pick<Storage, 'items' | 'ledger' | 'pushes'>,
    { keyring, edges }: { keyring: Pick<Keyring, 'mac'>; edges: Pick<Edges, 'now'> },
  ): OpenTargeted =>
  async (id, token) => {
    const link = readLink(keyring, 'item', token, edges.now());
    const message = link.ok ? await stores.ledger.message(link.subject) : null;
    const push = message?.push ? await stores.pushes.get(message.push) : null;
    const item = push?.item === id ? await stores.items.get({ id }) : null;
    if (!item || (item.state !== 'published' && item.state !== 'withdrawn')) return null;
    const { visibility: _visibility, ...content } = item.content;
    const { externalId, state, version, revision, changeNote, publishedAt } = item;
    return { id, externalId, state, version, revision, content, changeNote, publishedAt };
  };
