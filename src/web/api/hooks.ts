import { createHmac } from 'node:crypto';
import type { Request } from 'express';
import { z } from 'zod';
import type { Caller } from '../../access/access-service.ts';
import { AppError } from '../../errors.ts';
import type { FanoutService } from '../../fanout/fanout-service.ts';
import { equalBytes } from '../../keyring.ts';
import { asksToStop } from '../../subscriptions/stop-words.ts';
import type { SubscriptionService } from '../../subscriptions/subscription-service.ts';
import { holds, type Reply, type Route, route } from '../contract/route.ts';

/** Who may sign calls of the SMS hook: a provider as the ledger names it, and the token it signs with. */
export type SmsSigner = { provider: string; token: string };

type Deps = {
  subscriptions: Pick<SubscriptionService, 'stopByPhone'>;
  fanout: Pick<FanoutService, 'receipt'>;
  signers: SmsSigner[];
  publicUrl: string;
};

const form = 'application/x-www-form-urlencoded';
const bodyLimit = 64 * 1024;

/** What a receipt comes to; other statuses (queued, sent, …) tell nothing new. */
const outcomes: Record<string, 'delivered' | 'bounced'> = {
  delivered: 'delivered',
  undelivered: 'bounced',
  failed: 'bounced',
};

/** Twilio's signature: HMAC-SHA1 over the URL, then each parameter's name and value, sorted by name; base64. */
export const smsSignature = (token: string, url: string, params: URLSearchParams): string => {
  const names = [...new Set(params.keys())].sort();
  const said = names.flatMap((name) => [...new Set(params.getAll(name))].sort().map((value) => name + value));
  return createHmac('sha1', token)
    .update(url + said.join(''))
    .digest('base64');
};

const signerOf = (req: Request, params: URLSearchParams, { signers, publicUrl }: Deps): SmsSigner | null => {
  const sent = req.get('x-twilio-signature');
  if (sent === undefined) return null;
  const url = `${publicUrl}${req.originalUrl}`;
  const signer = signers.find(({ token }) =>
    equalBytes(Buffer.from(sent), Buffer.from(smsSignature(token, url, params))),
  );
  if (!signer) throw new AppError('bad-signature', 'The signature does not fit the call.');
  return signer;
};

const mayCall = (caller: Caller | null): void => {
  if (!caller) throw new AppError('no-key', 'This call needs the provider’s signature or an API key.');
  if (!holds(caller, 'events')) throw new AppError('no-scope', 'This call needs a key of scope events.');
};

const readForm = async (req: Request): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw new AppError('body-too-large', 'The body is larger than this call takes.');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
};

const hookSchema = z.union([
  z.object({ MessageSid: z.string().min(1).max(200), MessageStatus: z.string().min(1).max(50) }),
  z.object({ From: z.string().min(1).max(50), Body: z.string().max(5_000) }),
]);

const readHook = (params: URLSearchParams): z.output<typeof hookSchema> => {
  const read = hookSchema.safeParse(Object.fromEntries(params));
  if (read.success) return read.data;
  const faults = [{ path: '', message: 'must name MessageSid and MessageStatus, or From and Body' }];
  throw new AppError('invalid', 'This is neither a receipt nor an incoming text.', { faults });
};

/** An empty answer in the provider's language: there is nothing to text back. */
const thanks: Reply = {
  status: 200,
  text: { type: 'text/xml', content: '<?xml version="1.0" encoding="UTF-8"?>\n<Response></Response>\n' },
};

/** What a provider posts to us: receipts and incoming texts, in Twilio's form. */
export const hookRoutes = (deps: Deps): Route[] => [
  route({
    method: 'post',
    path: '/hooks/sms',
    operationId: 'smsHook',
    tag: 'Hooks',
    scope: 'public',
    summary:
      'Receipts and incoming texts of an SMS provider, signed by it (X-Twilio-Signature) or with a key of scope events.',
    // `message`: our own id, which we gave along with the text (StatusCallback)
    query: z.looseObject({ message: z.string().min(1).max(100).optional() }),
    stream: [form],
    responses: { 200: 'text/xml' },
    handler: async ({ req, caller, query }) => {
      const params = await readForm(req);
      const signer = signerOf(req, params, deps);
      if (!signer) mayCall(caller);
      const hook = readHook(params);
      if ('Body' in hook) {
        if (asksToStop(hook.Body)) await deps.subscriptions.stopByPhone(hook.From);
        return thanks;
      }
      const outcome = outcomes[hook.MessageStatus];
      const provider = signer?.provider ?? deps.signers[0]?.provider ?? 'outbox';
      const words = [hook.MessageStatus, params.get('ErrorCode')].filter(Boolean).join(' ');
      const of = { provider, reference: hook.MessageSid, message: query.message ?? null };
      if (outcome) await deps.fanout.receipt(of, outcome, words);
      return thanks;
    },
  }),
];
