import { generateKeyPairSync } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { FanoutService } from '../fanout/fanout-service.ts';
import type { Message } from '../fanout/ledger-store.ts';
import { type Keyring, settingContext } from '../keyring.ts';
import { maskText } from '../log.ts';
import type { Item } from '../publishing/item.ts';
import { ruleOfSource } from '../rules/rule.ts';
import type { Storage } from '../storage/storage.ts';
import { type Bundle, type Evidence, fingerprint, keyName, signBundle } from './bundle.ts';

type Keys = { privateKey: string; publicKey: string };

export type EvidenceService = {
  /** The signed evidence of an item, with one person's part if they are named by id. Throws `not-found`. */
  ofItem(item: string, subscriber: string | null): Promise<Bundle>;
  /** The public key (PEM, SPKI) by which every bundle of this installation is verified, and what it is called. */
  publicKey(): Promise<{ key: string; pem: string }>;
};

type Stores = Pick<Storage, 'items' | 'rules' | 'pushes' | 'ledger' | 'access' | 'subscriptions'>;
type Tools = {
  keyring: Pick<Keyring, 'seal' | 'open'>;
  edges: Pick<Edges, 'now'>;
  fanout: Pick<FanoutService, 'get' | 'notificationsOf'>;
  config: Pick<Config, 'publicUrl'>;
};

const settingName = 'evidence-key';
/** More messages about one item than any one person gets. */
const mostDeliveries = 10_000;

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

const newKeys = (): Keys =>
  generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

/** The signing key, made the first time and kept sealed; two processes that make it at once end with the same one. */
const loadKeys = async ({ access }: Pick<Stores, 'access'>, keyring: Tools['keyring']): Promise<Keys> => {
  const context = settingContext(settingName);
  const kept =
    (await access.setting(settingName)) ??
    (await access.putSetting(settingName, keyring.seal(JSON.stringify(newKeys()), context)));
  return JSON.parse(keyring.open(kept, context)) as Keys;
};

const versionsOf = async ({ items }: Stores, { id, version }: Item): Promise<Evidence['versions']> => {
  const numbers = Array.from({ length: version }, (_, index) => index + 1);
  const found = await Promise.all(numbers.map((number) => items.version(id, number)));
  return found.flatMap((one) => {
    if (!one) return [];
    const { version: number, revision, kind, at, note, content } = one;
    return [{ version: number, revision, kind, at: iso(at), note, content, sha256: fingerprint(content) }];
  });
};

const pushesOf = async ({ pushes }: Stores, { fanout }: Tools, item: string): Promise<Evidence['pushes']> => {
  const views = await Promise.all((await pushes.ofItem(item)).map(({ id }) => fanout.get(id)));
  return views.flatMap((push) => {
    if (!push) return [];
    const { id, version, state, createdAt, finishedAt, matched, counts, bySource } = push;
    const times = { createdAt: iso(createdAt), finishedAt: isoOrNull(finishedAt) };
    return [{ id, version, state, ...times, matched, counts: { ...counts }, bySource }];
  });
};

const rulesOf = async ({ rules }: Stores, pushes: Evidence['pushes']): Promise<Evidence['rules']> => {
  const named = pushes.flatMap(({ bySource }) => bySource.flatMap(({ source }) => ruleOfSource(source) ?? []));
  const distinct = [...new Map(named.map((one) => [`${one.rule}@${one.version}`, one])).values()];
  const found = distinct.length > 0 ? await rules.versions(distinct) : [];
  return found.map(({ rule, version, content, writer, approvedBy, createdAt }) => ({
    ...{ rule, version, name: content.name, writer, approvedBy, createdAt: iso(createdAt) },
    sha256: fingerprint(content),
  }));
};

/** What a provider said may name the address: nothing of it is handed on. */
const attemptsOf = (message: Message | undefined) =>
  (message?.attempts ?? []).map(({ at, provider, ok, response }) => ({
    ...{ at: iso(at), provider, ok, response: maskText(response) },
  }));

const personOf = async (stores: Stores, { fanout }: Tools, item: string, id: string) => {
  const person = await stores.subscriptions.subscriber({ id });
  if (!person) throw new AppError('not-found', 'There is no such subscriber.');
  const about = (await fanout.notificationsOf(id, mostDeliveries)).filter((one) => one.item.id === item);
  const messages = await stores.ledger.messages(about.map((one) => one.id));
  const byId = new Map(messages.map((message) => [message.id, message]));
  const deliveries = about.map((one) => ({
    ...{ id: one.id, channel: one.channel, state: one.state, code: one.code, at: iso(one.at) },
    because: one.reasons.map(({ source }) => source),
    attempts: attemptsOf(byId.get(one.id)),
  }));
  return { subscriber: id, erased: person.erasedAt !== null, deliveries };
};

/** Evidence of delivery, signed with the installation's own key. */
export const makeEvidenceService = (stores: Stores, tools: Tools): EvidenceService => {
  const { keyring, edges, config } = tools;

  const collect = async (item: Item, subscriber: string | null): Promise<Evidence> => {
    const pushes = await pushesOf(stores, tools, item.id);
    const { id, externalId, state, version, revision, writer } = item;
    const history = await stores.access.auditOf(item.id);
    const [head = null] = await stores.access.auditBefore(null, 1);
    return {
      ...{ format: 'bellman-evidence/1', service: config.publicUrl, issuedAt: iso(edges.now()) },
      item: { id, externalId, state, version, revision, writer },
      approvals: item.approvals.map((one) => ({ ...one, at: iso(one.at) })),
      versions: await versionsOf(stores, item),
      rules: await rulesOf(stores, pushes),
      pushes,
      history: history.map(({ n, at, actor, action, hash }) => ({ n, at: iso(at), actor, action, hash })),
      auditHead: head && { n: head.n, hash: head.hash },
      ...(subscriber === null ? {} : { person: await personOf(stores, tools, id, subscriber) }),
    };
  };

  return {
    ofItem: async (id, subscriber) => {
      const item = await stores.items.get({ id });
      if (!item) throw new AppError('not-found', 'There is no such item.');
      return signBundle(await collect(item, subscriber), await loadKeys(stores, keyring));
    },
    publicKey: async () => {
      const { publicKey } = await loadKeys(stores, keyring);
      return { key: keyName(publicKey), pem: publicKey };
    },
  };
};
