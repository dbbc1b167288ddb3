import { diagnose, type FailureKind } from '../../../../src/feedback/bounces/diagnosis.ts';

/** What servers answer, as their documentation and the field know them; `status` is the reporter's, where it matters. */
const replies: [kind: FailureKind, words: string, status?: string][] = [
  ['hard', '550 5.1.1 <li@x.example>... User unknown'],
  [
    'hard',
    "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos",
  ],
  ['hard', '550 5.1.1 unknown or illegal alias: li@x.example'],
  ['hard', '550 #5.1.0 Address rejected.', '5.0.0'],
  ['hard', '550 5.7.1 No such user!'],
  ['hard', '550 Invalid recipient: <li@x.example>'],
  ['hard', '550 User not found: li@163.example'],
  [
    'hard',
    '550 Message was not accepted -- invalid mailbox. Local mailbox li@x.example is unavailable: user not found',
  ],
  [
    'hard',
    '550 Message was not accepted -- invalid mailbox.  Local mailbox li@x.example is unavailable: account is disabled',
  ],
  ['hard', '550 5.2.1 This mailbox has been blocked due to inactivity'],
  ['hard', '550 5.1.1 Not our Customer', '5.1.1'],
  ['hard', '554 5.1.1 Addressee unknown'],
  ['hard', '550 sorry, no mailbox here by that name. (#5.7.17)'],
  ['hard', '511 sorry, no mailbox here by that name (#5.1.1 - chkuser)'],
  ['hard', '550 5.1.1 sorry, this recipient is in my validrcptto list: no such user'],
  ['hard', '553 sorry, this recipient is not in my validrcptto list (#5.7.1)'],
  ['hard', '550 RCPT: user not exist'],
  ['hard', "554 RCPT (li@x.example) dosn't exist"],
  ['hard', '550 Unknown user li@docomo.example'],
  ['hard', '550 Requested action not taken: mailbox unavailable'],
  ['hard', '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)'],
  ['hard', '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'],
  ['hard', "550 5.1.1 The email address you entered couldn't be found"],
  ['hard', '550 5.1.1 recipient not found'],
  ['hard', '550 No such recipient'],
  ['hard', '550 Unrouteable address'],
  ['hard', '550 Address unknown'],
  ['hard', '550 unknown user'],
  ['hard', '550 mailbox not found'],
  ['hard', '553 5.3.0 <li@x.example>... Addressee unknown, relay=[198.51.100.7]'],
  ['hard', '550 5.1.1 User li@x.example does not exist (mail.local)'],
  ['hard', '550 cuda_nsu <li@x.example>: Recipient address rejected: no such user'],
  ['hard', '550 permanent failure for one or more recipients (li@x.example:550 5.1.1 User unknown)'],
  ['hard', '550 5.4.1 [li@x.example]: Recipient address rejected: Access denied'],
  ['hard', '551 5.1.1 User does not exist on this server'],
  ['hard', '552 1 Requested mail action aborted, mailbox not found'],
  [
    'hard',
    '554 delivery error: dd Sorry your message to li@yahoo.example cannot be delivered. This account has been disabled or discontinued [#102]. - mta1',
  ],
  ['hard', '550 5.1.6 recipient no longer on server: li@x.example'],
  ['hard', '550 5.2.1 The email account that you tried to reach is inactive'],
  ['hard', '550 account expired'],
  ['hard', "550 This user doesn't have an account here"],
  [
    'hard',
    '5.1.0 - Unknown address error 550-"5.1.1 <li@x.example>: Recipient address rejected: User unknown in relay recipient table"',
  ],
  ['hard', 'unknown local part "li" in "<li@x.example>"'],
  ['hard', 'Host or domain name not found. Name service error for name=x.example type=MX: Host not found'],
  ['hard', '550 Host unknown'],
  ['hard', '5.1.2 (bad destination host)', '5.1.2'],
  ['hard', 'Illegal host/domain name found'],
  ['hard', 'Domain x.example does not accept mail (nullMX)', '5.1.0'],
  ['hard', "550 5.1.1 <li@x.example> User doesn't exist: li@x.example"],
  [
    'hard',
    'Recipient address rejected: undeliverable address: host mx.x.example said: 550 5.1.1 user unknown',
    '5.1.1',
  ],
  ['hard', "550 5.1.1 Adresse d'au moins un destinataire invalide"],
  ['hard', '', '5.1.1'],
  ['hard', '550', '5.0.0'],
  ['hard', '收件人地址不存在'],
  ['hard', '550 Mailbox unavailable or access denied [a IP: 198.51.100.7]'],
  ['hard', 'User li (li@notes.example) not listed in public Name & Address Book'],
  ['hard', '554 5.7.1 <li@x.example>: Recipient address rejected: User unknown in local recipient table'],
  [
    'hard',
    '550 The recipient cannot be verified. Please check all recipients of this message to verify they are valid.',
  ],
  ['hard', '554 5.4.4 unable to find primary MX: no such domain'],
  ['hard', '550 Recipient Rejected: Mailbox would not be local: no such account'],
  ['soft', '452 4.2.2 The email account that you tried to reach is over quota'],
  ['soft', '552 5.2.2 Mailbox size limit exceeded'],
  ['soft', '550 5.1.1 mailbox full'],
  ['soft', '554 delivery error: dd li@yahoo.example mailbox quota exceeded'],
  ['soft', '550 5.7.1 The mailbox of the recipient is over its storage limit'],
  ['soft', '522 5.2.2 The recipient has exceeded their disk quota'],
  ['soft', '552 Requested mail action aborted: exceeded storage allocation'],
  ['soft', '554 Message too large for this user'],
  ['soft', '552 5.3.4 Message size exceeds fixed limit'],
  ['soft', '450 4.1.1 <li@x.example>: Recipient address rejected: unverified address'],
  ['soft', '451 4.7.1 Greylisting in action, please come back in 00:05:00'],
  ['soft', '421 4.7.0 Try again later, closing connection'],
  ['soft', '450 4.2.1 The user you are trying to contact is receiving mail too quickly'],
  ['soft', '550 Domain frequency limited'],
  ['soft', 'connect to mx.x.example[192.0.2.1]:25: Connection refused', '4.4.1'],
  ['soft', 'conversation with mx.x.example[192.0.2.1] timed out while receiving the initial server greeting', '4.4.2'],
  ['soft', 'delivery temporarily suspended: lost connection with mx.x.example', '4.4.2'],
  ['soft', 'retry timeout exceeded'],
  ['soft', '5.4.7 - Delivery expired (message too old) timeout', '5.4.7'],
  ['soft', '554 5.4.6 Too many hops'],
  ['soft', 'mail for x.example loops back to myself', '5.4.6'],
  [
    'soft',
    'Host or domain name not found. Name service error for name=x.example type=MX: Host not found, try again',
    '4.4.3',
  ],
  ['soft', "The recipient's mailbox is full and can't accept messages now."],
  ['soft', '收件人邮箱已满'],
  ['soft', 'unknown mailer error 1', '5.3.0'],
  ['soft', '451 4.3.0 Mail server temporarily rejected message'],
  ['soft', '501 5.5.4 Syntax error in parameters'],
  ['soft', 'The following recipient exceeded his quota: li@x.example'],
  ['soft', '', '5.2.2'],
  ['soft', '', '4.4.7'],
  ['blocked', '554 5.7.1 Message rejected under suspicion of SPAM'],
  [
    'blocked',
    '550 5.7.1 Service unavailable, Client host [198.51.100.7] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/',
  ],
  ['blocked', "550 5.7.26 Unauthenticated email from town.example is not accepted due to domain's DMARC policy"],
  [
    'blocked',
    "553 5.7.1 [BL21] Connections will not be accepted from 198.51.100.7, because the ip is in Spamhaus's list",
  ],
  ['blocked', '554 5.7.9 Message not accepted for policy reasons.'],
  ['blocked', '521 5.2.1 :  (CON:B1)  https://postmaster.aol.example/error-codes#554conb1'],
  ['blocked', '550 Administrative prohibition'],
  ['blocked', '550 5.7.1 Relaying denied'],
  ['blocked', '554 5.7.1 <li@x.example>: Relay access denied'],
  ['blocked', '550 relay not permitted'],
  ['blocked', '550-Sender verify failed'],
  ['blocked', '553 5.1.8 <b@town.example>... Domain of sender address b@town.example does not exist'],
  ['blocked', '550 5.1.8 Access denied, bad outbound sender'],
  ['blocked', '550 5.7.1 Your message was rejected because it contains a virus'],
  ['blocked', '554 HL:IPB 163 mx5'],
  ['blocked', '554 DT:SPM 163 smtp10'],
  ['blocked', '550 Mail content denied.'],
  ['blocked', '550 5.7.1 [198.51.100.7] Our system has detected that this message is likely unsolicited mail.'],
  ['blocked', '550 Rejected by header based Anti-Spoofing policy'],
  ['blocked', '550 5.7.1 RESOLVER.RST.AuthRequired; authentication required'],
  ['blocked', '550 5.7.1 You do not have permission to send to this recipient'],
  ['blocked', '550 5.1.1 blocked by our policy'],
  ['blocked', "550 SC-001 (COL004) Unfortunately, messages from 198.51.100.7 weren't sent."],
  ['blocked', 'host gmx said: 554-Transaction failed 554-Reject due to policy restrictions.', '5.0.0'],
  [
    'blocked',
    '554 IP=198.51.100.7 - A problem occurred. (Ask your postmaster for help or to contact tosa@x.example to clarify.)',
  ],
  ['blocked', '550 5.7.1 permanent failure for one or more recipients (li@x.example:blocked)'],
  ['blocked', '554 5.7.1 <mx.town.example[198.51.100.7]>: Client host rejected: Access denied'],
  ['blocked', '450 4.7.25 Client host rejected: cannot find your hostname, [198.51.100.7]', '5.7.25'],
  ['blocked', '', '5.7.1'],
];

describe('the diagnosis of a refusal', () => {
  it.each(replies.map(([kind, words, status]) => ({ kind, words, status })))(
    '$kind: $words',
    ({ kind, words, status }) => {
      const found = diagnose({ action: 'failed', status: status ?? null, words });
      expect(`${found.kind}: ${words}`).toBe(`${kind}: ${words}`);
    },
  );

  it('takes the refusing server’s code before the reporter’s, and makes one of a reply', () => {
    const of = (status: string | null, words: string) => diagnose({ action: 'failed', status, words }).status;
    expect(of('5.0.0', 'smtp; 550 5.1.1 user unknown')).toBe('5.1.1');
    expect(of('5.1.1', 'user unknown')).toBe('5.1.1');
    expect(of(null, '550 user unknown')).toBe('5.0.0');
    expect(of(null, 'user unknown')).toBeNull();
    expect(of('5.1.1', 'host 5.1.1.9 said nothing')).toBe('5.1.1');
    expect(of(null, 'from [5.1.2.3] with version 4.1.2.8')).toBeNull();
  });

  it('never calls hard what is late', () => {
    for (const [, words] of replies) expect(diagnose({ action: 'delayed', status: '5.1.1', words }).kind).toBe('soft');
  });
});
