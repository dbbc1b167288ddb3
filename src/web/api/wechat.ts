import type { Request } from 'express';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import type { WechatService } from '../../wechat/wechat-service.ts';
import { type Route, route } from '../contract/route.ts';

const bodyMost = 64 * 1024;
const word = z.string().max(500).optional();
const query = z.looseObject({
  signature: word,
  timestamp: word,
  nonce: word,
  msg_signature: word,
  encrypt_type: word,
  echostr: word,
});

const readText = async (req: Request): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyMost) throw new AppError('body-too-large', 'The body is larger than this call takes.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** What WeChat calls, where an official account is configured: its question whether the address is ours, and its events and messages. */
export const wechatRoutes = (wechat: Pick<WechatService, 'verify' | 'take'>): Route[] => [
  route({
    method: 'get',
    path: '/hooks/wechat',
    operationId: 'wechatVerify',
    tag: 'Hooks',
    scope: 'public',
    summary: 'WeChat asks whether this address is ours; signed by it (token), answered with its echostr.',
    query,
    responses: { 200: 'text/plain' },
    handler: async ({ query: asked }) => ({
      status: 200,
      text: { type: 'text/plain', content: wechat.verify(asked) },
    }),
  }),
  route({
    method: 'post',
    path: '/hooks/wechat',
    operationId: 'wechatHook',
    tag: 'Hooks',
    scope: 'public',
    summary: 'Events and messages of an official account, signed by WeChat and encrypted where WECHAT_AES_KEY is set.',
    query,
    stream: ['text/xml', 'application/xml', 'text/plain'],
    audited: false,
    responses: { 200: 'text/xml' },
    handler: async ({ req, query: asked }) => {
      const content = await wechat.take(asked, await readText(req));
      return { status: 200, text: { type: content.startsWith('<') ? 'text/xml' : 'text/plain', content } };
    },
  }),
];
