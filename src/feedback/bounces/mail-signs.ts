import { type Fields, fieldText } from './mime-tree.ts';

const any = (...words: string[]): RegExp => new RegExp(words.join('|'), 'iu');

const autoReplySubjects = any(
  '^(?:re: ?|aw: ?|sv: ?)?\\[?(?:automatic|automated|auto|autom\\.)[ -]?(?:reply|response|responder|answer|acknowledge?ment)',
  '^(?:re: ?)?auto(?:reply|response|responder|svar)?\\s*[:\\uff1a]|^autosvar|^autosvar\\b|^autoodpowied|^auto:',
  "out[ -]of[ -](?:the )?(?:office|town)|\\booo\\b|^(?:re: )?away from (?:my|the) (?:office|mail|desk)|(?:on|am on|annual) (?:vacation|holiday|leave|maternity)|vacation (?:reply|message|notice|response|auto)|^(?:re: )?vacation\\b|^(?:re: )?i(?: a|')m away|currently (?:away|on leave)|not in the office",
  'abwesenheit|abwesend|automatische (?:antwort|r[ée]ponse)|außer haus|nicht im (?:büro|haus)|^(?:re: |aw: )?urlaub',
  "r[ée]ponse automatique|absence du bureau|message d'absence|absent du bureau|en cong[ée]|absence\\b.{0,10}bureau",
  'respuesta autom[aá]tica|fuera de (?:la )?oficina|^(?:re: )?ausente|resposta autom[aá]tica|^(?:re: )?aus[eê]ncia|fora do escrit[oó]rio|^(?:re: )?f[eé]rias',
  'risposta automatica|fuori (?:sede|ufficio)|assenza|assente|automatisch(?:e)? (?:antwoord|beantwoord)|afwezig',
  'automatiskt? svar|autosvar|frånvar|ikke til stede|fravær|automaattinen vastaus|poissa|automatyczna odpowied|nieobecno|automatick[aá] odpov|automatikus v[aá]lasz|házon kívül|otomatik yan[iı]t|ofis dışı|αυτόματη απάντηση|trả lời tự động|balasan otomatis',
  'автоматический ответ|автоответ|вне офиса|^(?:re: )?(?:отсутств|отпуск)|автовідповідь',
  '自动回复|自動回覆|自动答复|自動回復|自动应答|^(?:re: ?)?(?:休假|外出|出差)|不在办公室|出差中|自動応答|自動返信|不在(?:通知|連絡|の)|^(?:re: ?)?休暇|자동 ?(?:회신|응답|답장)|부재 ?중|^(?:re: ?)?휴가',
  '^(?:please )?(?:confirm|verify) (?:your )?(?:e-?mail|message|that)|^please confirm|^verification required|^message pending|^\\[?(?:ticket|request|case)\\b.{0,40}(?:received|created)|^(?:we (?:have )?received|thank you for (?:contacting|your (?:e-?mail|message|enquiry|inquiry)))',
);

/** Subjects of bounces as they begin; one that is answered or forwarded (`Re:`, `Fwd:`) is no bounce any more. */
const bounceSubjects = any(
  '^(?:\\[?\\*{0,5}spam\\*{0,5}\\]? ?)?(?:undeliver(?:able|ed)|undeliverable mail|non[ -]?deliver|un-?delivered|unzustellbar|onbestelbaar|non remis|non distribuable|no se puede entregar|no entregado|n[aã]o (?:é possível entregar|entregue)|non recapitabile|recapito non|mancato recapito|mislukt|kan inte leverera|oleveranskan|kunne ikke leveres|toimittamaton|niedostarcz|nie można|nedoručiteln|kézbesíthetetlen|teslim edilemedi|не доставлено|недоставлен|не удается доставить)',
  '^(?:mail )?delivery (?:status notification|failure|failed|error|problem|notification|report|delayed|has failed|unsuccessful|incomplete)|^delivery .{0,20}(?:fail|delay|problem|error)|^(?:mail|message|e-?mail|smtp|your (?:mail|message|e-?mail))\\b.{0,40}(?:delivery (?:fail|problem|error|system|notification|status)|undeliver|not (?:be )?(?:been )?deliver|could(?:n.t| not) be (?:delivered|sent)|returned|bounced|rejected|delayed|failure|refused)',
  '^failure notice|^failed (?:mail|message|delivery|to deliver)|^returned (?:mail|message|e-?mail|to sender)|^(?:warning|notice)\\b.{0,60}(?:delay|could not|not deliver|undeliver|fail|has not been)|^nondeliverable|^notification (?:d.état|d.echec|de non)|^bounced? mail|^mail system error|^mail (?:failure|error)|^error (?:sending|delivering)|^there was an error sending|^rejected|^unable to deliver|^cannot deliver|^message (?:status|delayed|delivery)|^dsn\\b|^ndn\\b|^ndr\\b|^problem delivering|^unknown (?:user|recipient|address)|^user unknown|^permanent|^transient|^\\*\\*message you sent blocked|^delivery status|^sorry\\b.{0,30}(?:undeliver|could not|not deliver)|^retorno|^aviso de|^fehler|^rückgabe|^zustell|^échec|^echec|^avis de|^errore|^mail ikke|^fejl',
  '退信|退回|投递失败|投遞失敗|无法投递|無法投遞|未送达|未送達|未传递|无法送达|無法送達|无法传递|發送失敗|发送失败|传递失败|送信エラー|配信(?:不能|エラー|失敗|できません)|メール.{0,10}(?:エラー|配信|戻)|반송|배달.{0,6}(?:실패|할 수 없|되지)|전송 ?실패|전달.{0,6}(?:실패|불가)',
);

/** How the notices themselves begin or put it. */
const bounceWords = any(
  'this is the (?:qmail|mail|postfix|mail delivery|exim)[\\w -]{0,20}(?:program|system)|hi\\. this is the|this message was created automatically by mail delivery|a message (?:that )?you sent (?:could not|has not)|delivery to the following recipients?|could ?n.t be delivered|could not be delivered|couldn.t deliver|(?:was|were) not delivered|wasn.t delivered|not be delivered to|delivery has failed|failed permanently|permanent(?:ly)? (?:fatal )?(?:fail|error)|undeliverable|undelivered|unable to deliver|cannot deliver|can.t deliver|not been delivered|delivery (?:status|failed|failure|error|attempt)|did not reach|has been returned|is being returned|returned to (?:you|sender)|bounced|following (?:addresses|recipients?|errors?) (?:had|failed|could|were)|the following (?:address|recipient)|i.m sorry to have to inform|i wasn.t able to deliver|i was unable to deliver|message you sent|rejected by the (?:recipient|server|mail)|has been rejected|user unknown|unknown user|no such user|mailbox (?:unavailable|full|is full|not found)',
  '退信|退回|投递失败|无法投递|無法投遞|未送达|无法送达|無法送達|无法发送到|不存在|被拒|送信できません|配信できません|戻されました|unzustellbar|nicht zugestellt|konnte nicht|n.a pas (?:pu|été)|no se (?:ha )?(?:pudo|podido|puede) entregar|n[aã]o (?:foi|p[oô]de)|non (?:è stato|e. stato) (?:possibile|recapitat)|не (?:может|могло|было) быть|не доставлен|전달.{0,6}(?:못|않)|배달.{0,6}(?:못|않)',
);

const daemonNames =
  /^(?:.{0,40}[._+-])?(?:mailer-?daemon|mail-?daemon|maildaemon|postmaster|mailer|mdaemon|daemon|smtp-?daemon|mail-?admin|mailsystem|mail-?delivery|bounces?|bounce-?\w*|mmdf|mta|microsoftexchange\w*|mailmaster|mailscanner|mailsweeper|non-?delivery|ndr)(?:[._+-].{0,60})?@/i;
const daemonTitles = any(
  'mail(?:er)? ?-?delivery|mailer-?daemon|mail ?daemon|postmaster|microsoft (?:outlook|exchange)|system administrator|mail (?:system|administrator|server|router)|mail ?admin|internet mail|delivery (?:subsystem|system|service|status)|bounce|系统|邮件管理|管理员|邮局|系統',
);

export type Signs = {
  /** Fields of RFC 3834 section 5 and of the many systems that came before it. */
  autoReplyFields: boolean;
  autoReplySubject: boolean;
  bounceSubject: boolean;
  /** The sender is a mail system, by its address or its name; or the return path is empty (RFC 5321 section 4.5.5). */
  fromDaemon: boolean;
  emptyPath: boolean;
  /** Exim's and Google's own list of whom it could not reach. */
  failedRecipients: string[];
};

const saysSo = (fields: Fields, names: string[], form: RegExp): boolean =>
  names.some((name) => fields.has(name) && form.test(fieldText(fields, name)));

const hasAutoReplyFields = (fields: Fields): boolean =>
  saysSo(fields, ['auto-submitted'], /^auto-(?:replied|notified)/i) ||
  saysSo(fields, ['precedence', 'x-precedence'], /auto[_-]?reply/i) ||
  saysSo(fields, ['preference'], /auto/i) ||
  saysSo(
    fields,
    ['x-autoreply', 'x-auto-reply', 'x-autorespond', 'x-auto-respond', 'x-auto-response', 'x-autoresponder'],
    /^(?!no\b|false\b|0\b)/i,
  ) ||
  saysSo(
    fields,
    [
      'x-autoreply-from',
      'x-autoreply-domain',
      'x-mail-autoreply',
      'x-vacation',
      'x-autogenerated',
      'x-amazon-auto-reply',
      'x-ms-exchange-inbox-rules-loop',
      'x-facebook-notify-x',
    ],
    /^(?!no\b)/i,
  ) ||
  saysSo(
    fields,
    ['delivered-to', 'x-post-messageclass', 'x-mailer', 'user-agent'],
    /autoresponder|auto-?responder|vacation/i,
  ) ||
  saysSo(fields, ['x-ms-exchange-generated-message-source'], /mailbox rules|oof/i);

const longestAddress = 1_000;
const mostRecipients = 100;

/** What the head of a mail tells of its kind. */
export const signsOf = (fields: Fields): Signs => {
  const from = (fieldText(fields, 'from') || fieldText(fields, 'sender')).slice(0, longestAddress);
  const address = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? /\S+@\S+/.exec(from)?.[0] ?? from;
  const subject = fieldText(fields, 'subject').slice(0, 300);
  const name = from.slice(0, Math.max(0, from.lastIndexOf('<')));
  return {
    autoReplyFields: hasAutoReplyFields(fields),
    autoReplySubject: autoReplySubjects.test(subject),
    bounceSubject: bounceSubjects.test(subject),
    fromDaemon: daemonNames.test(address.includes('@') ? address : `${address}@`) || daemonTitles.test(name),
    emptyPath: /^<?>?$/.test((fields.get('return-path')?.[0] ?? 'unknown').replace(/\s/g, '')),
    failedRecipients: (fields.get('x-failed-recipients') ?? [])
      .flatMap((one) => one.split(/[,\s]+/))
      .filter((one) => one.includes('@') && one.length <= longestAddress)
      .slice(0, mostRecipients),
  };
};

/** Whether a text speaks as notices of failed delivery do. */
export const soundsLikeBounce = (text: string): boolean => bounceWords.test(text.slice(0, 6_000));

/** Words of notices that a message is late, and still tried (RFC 3464 section 2.3.3, `delayed`). */
export const soundsDelayed = (text: string): boolean =>
  any(
    'will continue to (?:try|be)|(?:will|still) (?:be )?(?:keep trying|trying|retry|be retried|being (?:attempted|tried))|this is (?:only )?a warning|warning message only|has not (?:yet )?been delivered (?:yet|for|after)|not yet been delivered|(?:delivery|message|mail)\\b.{0,60}(?:delayed|is delayed|being delayed|has been delayed)|no action is required|you do not need to resend|delivery (?:status notification )?\\(?delay|temporarily delayed|will retry for|延迟|延遲|稍后重试|继续尝试|verzögert|retard[ée]e?|配信遅延|遅延',
  ).test(text.slice(0, 6_000));
