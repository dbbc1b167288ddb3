import { createHash, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEmailChannel } from '../../../src/channels/email/email-channel.ts';
import { clockEdges, makeContent, makeMessage, noAbort } from '../../helpers/content.ts';
import { startSmtpSink } from '../../helpers/smtp-sink.ts';

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

type Field = { name: string; value: string };

/** Header fields, unfolded (RFC 5322 section 2.2.3). */
const fieldsOf = (header: string): Field[] =>
  header
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .map((line) => ({
      name: line.slice(0, line.indexOf(':')).toLowerCase(),
      value: line.slice(line.indexOf(':') + 1),
    }));

/** RFC 6376 section 3.4.2. */
const relaxed = ({ name, value }: Field): string => `${name.trim()}:${value.replace(/[ \t]+/g, ' ').trim()}`;

/** RFC 6376 section 3.4.4. */
const relaxedBody = (body: string): string => {
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''));
  while (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `${line}\r\n`).join('');
};

/** Verifies a relaxed/relaxed rsa-sha256 signature as a receiver would; answers the tags, or why not. */
const verify = (raw: Buffer, key: KeyObject): { tags: Record<string, string> } | { fault: string } => {
  const text = raw.toString('latin1');
  const at = text.indexOf('\r\n\r\n');
  const fields = fieldsOf(text.slice(0, at));
  const signature = fields.find((field) => field.name === 'dkim-signature');
  if (!signature) return { fault: 'unsigned' };
  const tags = Object.fromEntries(
    signature.value
      .split(';')
      .map((tag) => [tag.slice(0, tag.indexOf('=')).trim(), tag.slice(tag.indexOf('=') + 1).trim()]),
  ) as Record<string, string>;
  const bodyHash = createHash('sha256')
    .update(relaxedBody(text.slice(at + 4)), 'latin1')
    .digest('base64');
  if (bodyHash !== tags.bh?.replace(/\s/g, '')) return { fault: 'body hash' };
  const signed = (tags.h ?? '')
    .split(':')
    .map((name) => fields.findLast((field) => field.name === name.trim().toLowerCase()));
  const unsigned = { name: 'dkim-signature', value: signature.value.replace(/(\bb=)[^;]*$/, '$1') };
  const input = [...signed.filter((field) => field !== undefined), unsigned].map(relaxed).join('\r\n');
  const ok = createVerify('sha256')
    .update(input, 'latin1')
    .verify(key, (tags.b ?? '').replace(/\s/g, ''), 'base64');
  return ok ? { tags } : { fault: 'signature' };
};

const config = (port: number, key: string) => ({
  urls: [`smtp://127.0.0.1:${port}`],
  from: 'Office <office@town.test>',
  bounces: undefined,
  dkim: { key, selector: 's1', domain: 'town.test' },
});

describe('DKIM', () => {
  it('signs so that a receiver can verify, both List-Unsubscribe fields covered', async () => {
    const sink = await startSmtpSink();
    const channel = makeEmailChannel(config(sink.port, pem(rsa.privateKey)), { edges: clockEdges() });
    const content = makeContent({ title: '关于供水的通知', text: '第一段  有空格 \n\n.点\n\n\n' });
    await channel.send(makeMessage({ content }), noAbort);
    await channel.close();
    await sink.close();
    const [mail] = sink.mails;
    const verdict = verify(mail?.raw ?? Buffer.alloc(0), rsa.publicKey);
    expect(verdict).toMatchObject({ tags: { d: 'town.test', s: 's1', c: 'relaxed/relaxed', a: 'rsa-sha256' } });
    const covered = 'tags' in verdict ? (verdict.tags.h ?? '').toLowerCase().split(':') : [];
    for (const name of [
      'from',
      'to',
      'subject',
      'date',
      'message-id',
      'list-id',
      'list-unsubscribe',
      'list-unsubscribe-post',
    ])
      expect(covered).toContain(name);
    const forged = Buffer.from(mail?.raw.toString('latin1').replace('/u/AAAA', '/u/CCCC') ?? '', 'latin1');
    expect(verify(forged, rsa.publicKey)).toEqual({ fault: expect.any(String) });
  });

  it('takes the key as PEM, as PEM on one line, or as a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bellman-dkim-'));
    const file = join(folder, 'key.pem');
    writeFileSync(file, pem(rsa.privateKey));
    for (const key of [pem(rsa.privateKey), pem(rsa.privateKey).replaceAll('\n', '\\n'), file])
      expect(() => makeEmailChannel(config(1, key), { edges: clockEdges() })).not.toThrow();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['an Ed25519 key', pem(generateKeyPairSync('ed25519').privateKey), /must be an RSA key, not ed25519/],
    ['a short key', pem(generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey), /at least 1024 bits/],
    ['a public key', rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(), /not a private key/],
    ['garbage', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', /not a private key/],
    ['a missing file', '/nowhere/key.pem', /ENOENT/],
  ])('refuses %s when the channel is made', (_what, key, words) => {
    expect(() => makeEmailChannel(config(1, key), { edges: clockEdges() })).toThrow(words);
  });
});
