import { type Finding, fail, ok, warn } from './finding.ts';

/** How a mail server received us. `code` is nodemailer's (EAUTH, ECONNECTION …). */
export type SmtpFact = { host: string; port: number } & (
  | { ok: true; secure: boolean; auth: boolean }
  | { ok: false; code: string; message: string }
);

const smtpAdvice: Record<string, string> = {
  EAUTH: 'Mend user and password in EMAIL_URL.',
  ETLS: 'The certificate does not fit the host: mend it there, or name the host as the certificate does.',
  EDNS: 'The host of EMAIL_URL has no address: mend its name.',
};

/** How OpenSSL says that it was answered in the clear. */
const inTheClear = /wrong version number/i;

const smtpFault = (code: string, message: string): [text: string, advice: string] => {
  if (inTheClear.test(message))
    return [
      'it does not speak TLS on this port',
      'Use smtp:// (STARTTLS) instead of smtps://, or the port that speaks TLS.',
    ];
  const advice = smtpAdvice[code] ?? 'See that it runs and that a firewall lets this machine reach it.';
  return [`${code}: ${message.replace(/\s+/g, ' ').trim()}`, advice];
};

/** Judges a mail server's welcome. Without TLS it is judged by where it stands. */
export const judgeSmtp = (fact: SmtpFact): Finding => {
  const place = `${fact.host}:${fact.port}`;
  if (!fact.ok) {
    const [text, advice] = smtpFault(fact.code, fact.message);
    return fail('smtp', `${place} does not take us (${text})`, advice);
  }
  if (!fact.secure && !/^(localhost|127\.|::1)/.test(fact.host))
    return warn('smtp', `${place} takes us, without TLS`, 'Let it offer STARTTLS, or use smtps://.');
  return ok('smtp', `${place} takes us${fact.secure ? ', over TLS' : ''}${fact.auth ? ', signed in' : ''}`);
};

/** What DNS said of the DKIM record. `unreachable`: nobody answered, which says nothing of the record. */
export type DkimFact = { name: string; publicKey: string } & (
  | { kind: 'unreachable'; code: string }
  | { kind: 'none' }
  | { kind: 'records'; records: string[] }
);

const tagsOf = (record: string): Map<string, string> =>
  new Map(
    record.split(';').flatMap((tag) => {
      const at = tag.indexOf('=');
      return at < 0 ? [] : [[tag.slice(0, at).trim(), tag.slice(at + 1).replace(/\s+/g, '')] as const];
    }),
  );

/** The record to publish for this key (base64 of its SubjectPublicKeyInfo), RFC 6376 section 3.6.1. */
const wantedRecord = (publicKey: string): string => `v=DKIM1; k=rsa; p=${publicKey}`;

/** Judges whether receivers can check what we sign: the record must hold this very key. */
export const judgeDkim = (fact: DkimFact): Finding => {
  const publish = `Publish a TXT record ${fact.name} with: ${wantedRecord(fact.publicKey)}`;
  if (fact.kind === 'unreachable')
    return warn(
      'dkim',
      `DNS could not be asked for ${fact.name} (${fact.code})`,
      'Look from a machine that reaches DNS.',
    );
  if (fact.kind === 'none') return fail('dkim', `there is no record ${fact.name}`, publish);
  const keys = fact.records.map(tagsOf).filter((tags) => tags.has('p'));
  if (keys.some((tags) => tags.get('p') === fact.publicKey)) return ok('dkim', `${fact.name} holds our key`);
  if (keys.some((tags) => tags.get('p') === '')) return fail('dkim', `the key of ${fact.name} is revoked`, publish);
  return fail('dkim', `${fact.name} holds another key: what we sign is refused`, publish);
};

/** Which VAPID keys will sign, and who is named. */
export type VapidFact = { source: 'outbox' | 'environment' | 'store' | 'none'; subject: string };

/** Judges what push services learn of us (RFC 8292 section 2.1). */
export const judgeVapid = ({ source, subject }: VapidFact): Finding => {
  if (source === 'outbox') return ok('vapid', 'web pushes go to the outbox');
  if (/@localhost$/.test(subject))
    return warn(
      'vapid',
      `WEB_PUSH_SUBJECT is ${subject}`,
      'Set it to an address where push services reach you; some refuse localhost.',
    );
  const from = {
    environment: 'of the environment',
    store: 'kept in the store',
    none: 'not made yet; the first start does',
  };
  return ok('vapid', `keys ${from[source]}, contact ${subject}`);
};

/** By how much another clock is ahead of ours (ms), and whose. */
export type ClockFact = { of: string; aheadMs: number };

/** Judges our clock against others: links, one-time codes and VAPID tokens are of a moment. */
export const judgeClock = (facts: ClockFact[]): Finding => {
  const [worst] = [...facts].sort((a, b) => Math.abs(b.aheadMs) - Math.abs(a.aheadMs));
  const advice = 'Let chrony, systemd-timesyncd or the host keep the time.';
  if (!worst) return warn('clock', 'there is no other clock to compare with', advice);
  const off = Math.abs(worst.aheadMs) / 1000;
  const text = `off by ${off.toFixed(1)} s against ${worst.of}`;
  if (off > 30) return fail('clock', text, advice);
  return off > 5 ? warn('clock', text, advice) : ok('clock', text);
};

/** What /readyz answered, of PUBLIC_URL and on this machine's own port; null: nothing did. */
export type ServiceFact = { publicUrl: string; status: number | null; port: number; here: number | null };

/** Judges whether people reach the service; where they do not, the service itself is told from what stands before it. */
export const judgeService = ({ publicUrl, status, port, here }: ServiceFact): Finding => {
  if (status === 200) return ok('service', `${publicUrl} is ready`);
  if (status === null && here !== null)
    return warn(
      'service',
      `it runs here, on port ${port}, and nothing answers at ${publicUrl}`,
      'See to the proxy in front of it, its certificate and the name in DNS (from this machine they may look different).',
    );
  if (status === null) return warn('service', `nothing answers at ${publicUrl}, nor on port ${port} here`, 'Start it.');
  return warn('service', `${publicUrl}/readyz answers ${status}`, 'It is starting, or its log says what it lacks.');
};
