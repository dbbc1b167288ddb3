import type { AccountStore } from '../../../src/accounts/account-store.ts';
import { makeWechatClient } from '../../../src/channels/wechat/wechat-client.ts';
import { realEdges } from '../../../src/edges.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import { makeLog } from '../../../src/log.ts';
import { startWechat, type WechatStandIn } from '../../helpers/wechat-stand-in.ts';
import { eachPair, type Pair } from './pair.ts';

const secret = 'a secret for these tests';
const keyring = makeKeyring(secret, newWrappedLookupKey(secret));
const account = { appId: 'wx0123456789abcdef', secret: 'a-secret-of-the-account', token: 'token' };

/** Two processes with one official account, whatever the store: one access token, fetched by one of them. */
export const describeAccessToken = (name: string, openTwo: () => Promise<Pair<AccountStore>>): unknown =>
  describe(`the access token of a cluster: ${name}`, () => {
    let stores: [AccountStore, AccountStore];
    let wechat: WechatStandIn;
    eachPair(openTwo, (opened) => {
      stores = opened;
    });
    beforeEach(async () => {
      wechat = await startWechat(account);
    });
    afterEach(() => wechat.close());

    const tokens = '/cgi-bin/stable_token';
    const quota = '/cgi-bin/openapi/quota/get';
    const clients = () =>
      stores.map((store) =>
        makeWechatClient(
          { ...account, aesKey: undefined, template: '', once: undefined, api: wechat.url, open: wechat.url },
          { store, keyring, edges: realEdges, log: makeLog('silent') },
        ),
      );
    const askAll = async (all: ReturnType<typeof clients>): Promise<boolean[]> => {
      const asked = all.flatMap((one) =>
        Array.from({ length: 5 }, () => one.call(quota, { cgi_path: '/cgi-bin/message/template/send' })),
      );
      return [...new Set((await Promise.all(asked)).map(({ ok }) => ok))];
    };

    it('is fetched once, however many ask at once', async () => {
      expect(await askAll(clients())).toEqual([true]);
      expect(wechat.count(tokens)).toBe(1);
      expect(await askAll(clients())).toEqual([true]);
      expect(wechat.count(tokens)).toBe(1);
    });

    it('is fetched once more when it was revoked, however many are refused with it', async () => {
      const all = clients();
      await askAll(all);
      wechat.revoke();
      expect(await askAll(all)).toEqual([true]);
      expect(wechat.count(tokens)).toBe(2);
    });

    it('is not fetched by others while one waits for it, and is theirs when that one dies', async () => {
      const [first, second] = stores;
      expect(await first.leaseToken('wechat', 0, 'died', realEdges.now() - 29_500, 30_000)).toBe(true);
      expect(await second.leaseToken('wechat', 0, 'other', realEdges.now(), 30_000)).toBe(false);
      expect(await askAll(clients())).toEqual([true]);
      expect(wechat.count(tokens)).toBe(1);
    });
  });
