import { createHmac } from 'node:crypto';
import type { Request } from 'express';
import { z } from 'zod';
import type { Caller } from '../../access/access-service.ts';
import { AppError } from '../../errors.ts';
import { returnKinds } from '../../feedback/bounces/classify-bounce.ts';
import type { FailureKind } from '../../feedback/bounces/diagnosis.ts';
import type { ReturnService } from '../../feedback/return-service.ts';
import { equalBytes } from '../../keyring.ts';
import { holds, type Reply, type Route, route } from '../contract/route.ts';
import { orNull } from './shapes.ts';

/** Who may sign calls of the SMS hook: a provider as the ledger names it, and the token it signs with. */
export type SmsSigner = { provider: string; token: string };

type Deps = {
  returns: Pick<ReturnService, 'take' | 'receipt' | 'text'>;
  signers: SmsSigner[];
  publicUrl: string;
};

const form = 'application/x-www-form-urlencoded';
const formLimit = 64 * 1024;
const mailLimit = 10 * 1024 * 1024;

/** What a receipt comes to; other statuses (queued, sent, …) tell nothing new. */
const outcomes: Record<string, 'delivered' | 'bounced'> = {
  delivered: 'delivered',
  undelivered: 'bounced',
  failed: 'bounced',
};

/** Error codes that say more than that a text did not arrive: nobody has the number, or it (or we) may not be texted. */
const failures: Record<string, FailureKind> = {
  21211: 'hard',
  21214: 'hard',
  21614: 'hard',
  30005: 'hard',
  30006: 'hard',
  21610: 'blocked',
  30004: 'blocked',
  30007: 'blocked',
  30034: 'blocked',
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

const readBody = async (req: Request, most: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new AppError('body-too-large', 'The body is larger than this call takes.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const readForm = async (req: Request): Promise<URLSearchParams> =>
  new URLSearchParams((await readBody(req, formLimit)).toString('utf8'));

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

const returnedShape = z
  .object({
    kind: z.enum(returnKinds),
    recipients: z.array(
      z.object({
        address: z.string(),
        status: orNull(z.string()).describe('Enhanced status code (RFC 3463).'),
        kind: z.enum(['hard', 'soft', 'blocked', 'complaint']),
        reason: z.string(),
      }),
    ),
    followed: z.object({
      known: z.boolean().describe('It is about a message of ours.'),
      suppressed: z.boolean().describe('Nothing is sent to an address any more because of it.'),
      stopped: z.boolean().describe('What the message was sent for has stopped (a complaint).'),
    }),
  })
  .meta({ id: 'ReturnedMail' });

const emailHook = ({ returns }: Deps): Route =>
  route({
    method: 'post',
    path: '/hooks/email',
    operationId: 'emailHook',
    tag: 'Hooks',
    scope: 'events',
    summary:
      'A mail that came back, raw: says whether it is a bounce (RFC 3464), a complaint (RFC 5965), an automatic answer or none, does what follows, and says what followed.',
    stream: ['message/rfc822'],
    bodyLimit: mailLimit,
    audited: false,
    responses: { 200: returnedShape },
    handler: async ({ req }) => {
      const raw = await readBody(req, mailLimit);
      const { kind, recipients, followed } = await returns.take(raw, { rcpts: [], isVouched: true });
      const shown = recipients.map((one) => ({
        address: one.address,
        status: one.status,
        kind: one.kind,
        reason: one.reason,
      }));
      return { status: 200, body: { kind, recipients: shown, followed } };
    },
  });

/** What providers and mail servers post to us: returned mail, and receipts and incoming texts in Twilio's form. */
export const hookRoutes = (deps: Deps): Route[] => [
  emailHook(deps),
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
        await deps.returns.text(hook.From, hook.Body);
        return thanks;
      }
      const outcome = outcomes[hook.MessageStatus];
      const provider = signer?.provider ?? deps.signers[0]?.provider ?? 'outbox';
      const words = [hook.MessageStatus, params.get('ErrorCode')].filter(Boolean).join(' ');
      const of = { provider, reference: hook.MessageSid, message: query.message ?? null };
      const failure = failures[params.get('ErrorCode') ?? ''] ?? 'soft';
      if (outcome)
        await deps.returns.receipt({ of, to: outcome, failure, words, phone: params.get('To') ?? undefined });
      return thanks;
    },
  }),
];
