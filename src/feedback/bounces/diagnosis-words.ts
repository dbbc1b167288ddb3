import type { FailureKind } from './diagnosis.ts';

/** Why a message did not arrive, in one word for programs and tables. */
export type Reason =
  | 'no-such-user'
  | 'no-such-domain'
  | 'bad-address'
  | 'mailbox-disabled'
  | 'moved'
  | 'mailbox-full'
  | 'mailbox'
  | 'too-large'
  | 'try-later'
  | 'delayed'
  | 'rate-limited'
  | 'expired'
  | 'loop'
  | 'network'
  | 'system'
  | 'protocol'
  | 'content'
  | 'refused'
  | 'policy'
  | 'spam'
  | 'block-list'
  | 'authentication'
  | 'sender-refused'
  | 'no-relaying'
  | 'other';

type Rule = {
  kind: FailureKind;
  reason: Reason;
  words: RegExp;
  /** Codes beside which these words say something else. */
  unless?: RegExp;
};

/** Alternatives of a pattern, one a line. Texts are lower case, NFKC, blanks single, addresses `@`; every gap is bounded. */
const any = (...words: string[]): RegExp => new RegExp(words.join('|'), 'u');

/** A stretch within a sentence: dots inside names do not end it. */
const gap = (most: number): string => `(?:[^.]|\\.(?! )){0,${most}}?`;

const who =
  '(?:user|recipient|mail ?box|account|addressee|alias|e-?mail address|e-?mail|address|local ?part|userid|user ?name|person|rcpt|destination|customer|member|inbox)s?';
const notThere =
  "(?:unknown|not (?:be )?found|(?:does|do|did|is|are)(?: not|n't|nt)? exists?|does not exists?|do[es]*n'?t exists?|dosn't exist|doesn’t exist|not exist|no[nt]?[- ]?exist\\w{0,12}|inexistent|not listed|(?:is |was )?not (?:a )?(?:recogni[sz]ed|known|valid|local|registered|defined|present)|(?:could|can) ?not be (?:found|located|resolved|verified)|could ?n't be found|can't be found|(?:was|is)n't (?:found|valid|known|recogni[sz]ed)|invalid\\b|is invalid|not (?:a )?valid|not our customer|no longer exists?)";

/**
 * Read from the top; the first that fits decides. Words about the sender and its server come before words about the user,
 * since they hold them ("sender address rejected: user unknown"); full and too large before, since they are often given the
 * code of an unknown user; refusals for policy after words that name the user, and before words that merely might.
 */
const rules: Rule[] = [
  {
    kind: 'blocked',
    reason: 'sender-refused',
    words: any(
      'sender (?:e-?mail )?(?:address )?(?:domain )?(?:is |was |has been |could not be |not )?(?:rejected|refused|denied|blocked|unknown|invalid|verif|allowed|found|permitted|authori[sz]ed|listed|exist|does)',
      '(?:unknown|invalid|bad|unverified|null|forged|spoofed) sender',
      'sender.{0,20}(?:verif|does not exist|not authori)',
      'verification failed for',
      'could not verify sender',
      'callout verification failed',
      '(?:domain of sender|sender domain|sender.s domain|from domain|envelope from|mail ?from|return.?path|reverse.?path|from address|from header|backscatter).{0,40}(?:reject|refus|denied|invalid|unknown|not (?:allow|exist|valid|resolve|accept|match|found|permit)|must|fail|block|does)',
      'in reply to (?:end of )?(?:mail from|helo|ehlo)',
      'after (?:pipelined |end of )?(?:mail from|helo|ehlo)',
      'submitter failed',
      '发件人.{0,10}(?:拒|黑名单|无效|域名)',
    ),
  },
  {
    kind: 'blocked',
    reason: 'block-list',
    words: any(
      'spamhaus|spamcop|barracudacentral|sorbs|uceprotect|senderscore|cloudmark|abuseat|abusix|proofpoint dynamic|dnsbl|rbl\\b|\\brbl|blackhole',
      'black ?-?list|block ?-?list|deny ?list|bad ?list|blocklisted|ban(?:ned)? (?:list|ip|sending)',
      '(?:your|client|sending|connecting|originating) (?:ip|host|server|mta|mail server|network|ip address|ips)\\b.{0,60}(?:block|reject|refus|denied|ban|listed|reputation|not allowed|prohibit|abus|suspicious)',
      '(?:ip|host|domain|sender)[\\w .-]{0,20}reputation|(?:bad|poor|low) reputation',
      'client host (?:rejected|blocked)|weren.t sent|was not sent\\. please contact your (?:internet )?service provider',
      '\\((?:con|rly|hvu|hvip|dyn|rtr|dns|csi|snd|ipr?):[a-z0-9]+\\)',
      '\\b(?:sc|dy|ou|hm)-00\\d\\b|\\bs3(?:140|150)\\b',
      'ask your postmaster for help|黑名单|被列入',
    ),
  },
  {
    kind: 'blocked',
    reason: 'authentication',
    words: any(
      '\\bspf\\b|\\bdkim\\b|\\bdmarc\\b|sender policy framework|unauthenticated|not authenticated|authentication (?:required|failed|fail|credentials)|authenticate (?:first|before)|anti-?spoofing|spoof',
      'reverse (?:dns|lookup|hostname)|\\bptr\\b|\\brdns\\b|cannot find your (?:reverse )?(?:hostname|host)|helo command rejected|ehlo.{0,20}(?:reject|invalid)|invalid helo|bad helo|no valid (?:mx|a) .{0,30}sender',
      'invalid dns mx or a|starttls|must use tls|encryption required',
    ),
  },
  {
    kind: 'soft',
    reason: 'rate-limited',
    words: any(
      'receiving (?:mail|messages|email) (?:at a rate|too (?:quickly|fast))|rate.?limit|throttl|too (?:many|much) (?:connections|messages|mails?|e-?mails?|concurrent|sessions|recipients|errors|invalid|bad|hops? per|simultaneous|traffic)|(?:frequency|frequenc\\w{0,12}|频率).{0,12}(?:limit|限)|频率|发信.{0,8}(?:超|过多|频繁)',
      'exceed\\w{0,12}.{0,40}(?:rate|hourly|daily|per (?:hour|day|minute)|connections|messages per)|(?:hourly|daily).{0,30}(?:limit|quota|exceed)',
    ),
  },
  {
    kind: 'soft',
    reason: 'mailbox-full',
    words: any(
      '(?:mail ?box|mail ?drop|inbox|account|quota|mail ?folder|storage|disk|maildir|user|recipient|folder)[^.]{0,50}(?:is full|\\bfull\\b|over ?quota|over (?:its |his |the |their )?(?:disk |mail |storage )?(?:quota|limit|size|storage)|exceed|out of (?:space|storage)|too large|overflow|overdrawn|no space)',
      'over ?-?quota|quota (?:is |was |has been |would be )?(?:exceed|violat|full|reached)|exceed\\w{0,12}[^.]{0,50}(?:quota|storage|mail ?box|space allocated|disk)|\\bfull mail ?box|(?:mail ?box|inbox) full',
      '(?:insufficient|not enough|lack of|no|out of)(?: system| disk| mail| free| available)?(?: disk| storage)? (?:storage|space|quota)',
      'disk quota|disk full|mailbox size|quotaexceeded|shutoffquota|would (?:exceed|be over)[^.]{0,30}quota',
      'has (?:too many|reached)[^.]{0,30}(?:messages on|quota|storage|limit)|too many messages (?:on the server|in)',
      '(?:容量|空间|邮箱|信箱|收件箱|收件匣|存储)[^。]{0,20}(?:已?满|不足|超过|超出|超限)|超过[^。]{0,12}(?:容量|配额|空间)|满了|已满',
      '(?:メールボックス|受信箱|容量)[^。]{0,20}(?:いっぱい|満杯|超過|オーバー|一杯)',
      '(?:postfach|mailbox|quota)[^.]{0,30}(?:voll|überschritten|ueberschritten)|bo[iî]te[^.]{0,40}(?:pleine|satur)|quota[^.]{0,20}d[eé]pass|buz[oó]n[^.]{0,30}(?:llen|cuota)|cuota[^.]{0,20}excedid|caixa[^.]{0,30}cheia|quota[^.]{0,20}excedid|casella[^.]{0,30}piena|ящик[^.]{0,30}переполнен',
    ),
  },
  {
    kind: 'soft',
    reason: 'too-large',
    words: any(
      '(?:message|mail|email|attachment|header|size)\\b.{0,40}(?:too (?:large|big|long)|over ?size|exceed|larger than)|size limit|maximum (?:message |allowed |permitted |mail )?size|max message size|exceed\\w{0,12} .{0,30}(?:size|length)|mailsize',
      '邮件.{0,12}(?:过大|太大|超过|超出)|大小.{0,8}超',
    ),
  },
  {
    kind: 'soft',
    reason: 'try-later',
    words: any(
      'gr[ea]y-?\\s?list|try (?:again|it) (?:later|in|after)|retry (?:later|in|after)|please retry|temporar(?:y|ily) (?:deferred|reject\\w{0,12}|unavailable|fail\\w{0,12}|local problem|lookup|block\\w{0,12}|suspend\\w{0,12}|disabled|problem|error|over|locked|inactive|not available)|temporarily|deferred|resources? (?:are )?temporarily|come back later|not yet authori[sz]ed to deliver|host not found, try again|servfail|dns (?:query |lookup )?(?:fail|timeout|timed)|lookup of .{0,80} (?:failed|timed out)|system (?:not accepting|busy)|server (?:is )?busy|暂时|稍后|灰名单',
    ),
  },
  {
    kind: 'hard',
    reason: 'no-such-user',
    words: any(
      `(?<!sender )(?<!helo )(?<!file )${who}\\b${gap(60)}${notThere}`,
      `(?:unknown|invalid|no such|non-?exist(?:ent|ant|ing)|inexistent|bad|incorrect|unrecogni[sz]ed|illegal|wrong|undefined|not an? (?:valid|known|existing)|no valid|no)(?: or (?:illegal|invalid|unknown|disabled|inactive))? (?:(?:virtual|local|mail|e-?mail|internal|final|rcpt|smtp|destination|delivery|recipient|user|target|intended) ){0,2}(?:user|recipient|mail ?box|account|addressee|alias|person|e-?mail|address|rcptto|rcpt|mail ?drop|userid|member|local ?part|customer|inbox)(?:s|es|\\(s\\))?\\b(?!.{0,5}(?:policy|filter))`,
      'no (?:such )?(?:mail ?box|user|account|one|person|body|recipient|address|inbox) (?:here|by|for|with|at|in|on|found|of|named|called)|there is no (?:such )?(?:user|mailbox|account|one|e-?mail|person|address)',
      `(?:does|do)(?: not|n't) have an? ${gap(60)}(?:account|mailbox|mail ?box|e-?mail)|doesn't have (?:a|an)? ?(?:yahoo|account)|(?:not|isn't) (?:a )?(?:local|our|known|valid) (?:user|customer|recipient|member|address|mailbox)|user not local`,
      "(?:cannot|can't|can not|could ?n[o']?t|could not|unable to|couldn't|failed to|not able to) (?:find|locate|resolve|recogni[sz]e|match) (?:the |this |that |a |any |your )?(?:intended |specified |e-?mail )?(?:recipient|user|mail ?box|account|address|e-?mail|person|name)",
      'not listed in|validrcptto|not (?:present )?in (?:our |the |its )?(?:directory|recipient|address ?book|user list|database)|directory entry not found|unrecogni[sz]ed-or-name|recipnotfound|recipientnotfound|nosuchuser|unknown-?recipient|userunknown|unknown_user|mailbox-?not-?found',
      'unrouteable address|unroutable address|undeliverable address|unknown local[ -]?part|no mail ?box|not a mail ?box|unknown or illegal alias|this user doesn|address unknown|addressee unknown|user unknown|unknown user|unknown address|not a valid recipient|dont exist|recipient no longer on server|account not available|mailbox unavailable or access denied|mailbox not available or access denied|does not have an? account',
      'no one (?:here )?(?:by|with|of) (?:that|this) name|nobody (?:here )?(?:by|with) (?:that|this) name',
    ),
  },
  {
    kind: 'hard',
    reason: 'no-such-user',
    words: any(
      '(?:收件人|收信人|收件者|用户|用戶|邮箱|邮件地址|信箱|帐号|账号|帐户|账户|地址|邮件帐户)[^。;]{0,40}(?:不存在|未找到|找不到|无效|无法识别|有误|错误|未注册|无此|没有这个|查无)|无此(?:用户|邮箱|帐号|账号)|没有(?:此|该|这个)(?:用户|邮箱|帐号|账号)|查无此|不存在的?(?:用户|邮箱|收件人)|不存在此',
      '(?:宛先|アドレス|ユーザー?|受信者)[^。]{0,30}(?:存在しま|存在しない|見つかり|見つから|不明|ありません)|존재하지 않|찾을 수 없|수신자.{0,20}(?:없|불명)',
      '(?:empfänger|empfaenger|adresse|benutzer|postfach|konto)[^.]{0,40}(?:unbekannt|nicht gefunden|existiert nicht|nicht existent|ungültig|nicht vorhanden)|unbekannte[rn]? (?:empfänger|benutzer|adresse)',
      "(?:destinataire|adresse|utilisateur|bo[iî]te|compte)[^.]{0,50}(?:inconnu|introuvable|n'existe|invalide|inexistant|non trouv)",
      '(?:destinatari|direcci|usuario|buz[oó]n|cuenta|correo)[^.]{0,50}(?:desconocid|no existe|no se (?:encontr|ha encontrado|pudo encontrar)|inv[aá]lid|inexistente|no v[aá]lid)',
      '(?:destinat[aá]ri|endere[cç]o|usu[aá]rio|caixa|conta)[^.]{0,50}(?:desconhecid|n[aã]o existe|inexistente|n[aã]o (?:foi |p[oô]de ser )?encontrad|inv[aá]lid)',
      '(?:destinatari|indirizzo|utente|casella)[^.]{0,50}(?:sconosciut|inesistente|non esiste|non (?:è stat\\S )?trovat|non valid)|(?:пользовател|адрес|получател|ящик)[^.]{0,50}(?:не существ|не найден|неизвест)|нет такого|(?:gebruiker|ontvanger|adres)[^.]{0,40}(?:onbekend|bestaat niet|niet gevonden)|(?:mottagare|användare|adress)[^.]{0,40}(?:okänd|finns inte)|(?:nieznany|nie istnieje|nie znaleziono)[^.]{0,30}',
    ),
  },
  {
    kind: 'hard',
    reason: 'no-such-domain',
    words: any(
      "host(?: or domain)?(?: name)? (?:not found|unknown|does(?: not|n't) exist)|(?:domain|host ?name|host)(?:[^.:]|\\.(?! )){0,60}(?:not found|does(?: not|n't) exist|couldn't be found|nxdomain|not exist|could not be found|has no mail|non-?exist)|no such (?:host|domain)|unknown (?:host|domain|mail (?:host|domain))|nxdomain|couldn't find any (?:host|mail)|bad (?:destination )?(?:host|domain)|(?:non-?existent|invalid|illegal|unroute?able) (?:mail )?(?:host|domain)|illegal host/domain|no mx (?:record|host)|no mail (?:server|exchanger|host)s? (?:for|found)|all relevant mx records point to non-existent|mx or srv record indicated no smtp|null ?mx|name server: @?.{0,80}host (?:not found|unknown)|(?:domain|host|server|site) .{0,30}(?:does not|doesn't) (?:accept|receive) (?:any )?(?:e-?)?mail|does not accept (?:any )?mail|no a or mx|name or service not known|address family for hostname not supported|域名.{0,12}(?:不存在|错误|无效|解析)|找不到.{0,12}(?:域名|主机|服务器)|unbekannte (?:domain|domäne)|domaine.{0,30}(?:inconnu|introuvable|n'existe)|dominio.{0,30}(?:no existe|non esiste|inexistente|desconocid)",
    ),
  },
  {
    kind: 'hard',
    reason: 'moved',
    words: any(
      'user (?:has )?moved|(?:has|have) (?:been )?(?:moved|changed) (?:to|their|his|her|his/her|address|e-?mail)|address (?:has )?changed|new (?:e-?mail )?address is|recipient has moved|moved to|no forwarding address',
    ),
  },
  {
    kind: 'soft',
    reason: 'loop',
    words: any(
      'too many hops|hop count|\\bloop(?:s|ing|ed)?\\b|routing loop|too many .?received|best-preference mx|delivered-to .{0,30}already|mail for .{0,60} loops back',
    ),
  },
  {
    kind: 'soft',
    reason: 'network',
    words: any(
      "connection (?:refused|timed out|timeout|reset|lost|dropped|closed|attempt|was)|timed? ?-?out|lost connection|could not connect|couldn't connect|unable to connect|cannot connect|can't connect|failed to connect|not able to connect|wasn't able to establish|unable to establish|no route to host|network (?:is )?(?:unreachable|error|problem)|host (?:is )?(?:unreachable|down|not responding|did not respond)|server (?:is )?(?:unreachable|not responding|down)|did not respond|not responding|all hosts for|name service error|conversation with|连接.{0,8}(?:超时|失败|拒绝)|超时|无法连接",
    ),
  },
  {
    kind: 'soft',
    reason: 'expired',
    words: any(
      'retry time(?:out)? (?:not reached|exceeded)|\\b(?:message|delivery|queue|retry)\\b[^.]{0,30}(?:expired|time exceeded|too long)|been in (?:the )?queue too long|queue too long|delivery time expired|message expired|not going to try again|giving up(?! on)|gave up|failing for a long time|maximum (?:retries|time|number of)|could not be delivered for|not delivered within',
    ),
  },
  {
    kind: 'hard',
    reason: 'mailbox-disabled',
    words: any(
      `(?<!your )${who}\\b${gap(60)}(?:disabled|inactiv\\w{1,12}|not active|isn't active|deactivated|suspended|(?:is|was|been) closed|account closed|expired|terminated|discontinued|deleted|removed|cancell?ed|is locked|locked out|frozen|retired|abandoned|unused|not in use|dormant|decommissioned)`,
      '(?:disabled|inactive|deactivated|suspended|closed|expired|terminated|discontinued|deleted|cancell?ed) (?:user|account|mail ?box|recipient|address|alias)|account-?(?:disabled|closed)|mailboxdisabled',
      'no longer (?:accepts?|valid|available|in use|used|active|an? |with|at|here|works|employed|monitored|exist|receiv|deliver|on (?:this|the)|maintained|supported|open|subscrib)|has left (?:the )?(?:company|organi[sz]ation|us)|user (?:is )?gone|ceased',
      '(?:帐号|账号|帐户|账户|邮箱|用户|信箱)[^。;]{0,20}(?:停用|禁用|冻结|注销|关闭|锁定|过期|封停|失效|暂停)',
    ),
  },
  {
    kind: 'blocked',
    reason: 'no-relaying',
    words: any(
      "relay(?:ing)?\\b.{0,40}(?:denied|not permitted|not allowed|prohibited|refused|disallowed|rejected|forbidden|access)|(?:unable|not (?:allowed|permitted|authori[sz]ed|going)|will not|refus\\w{0,12}|cannot|can't|don't|do not) (?:to )?relay|not (?:a|an open) (?:gateway|relay)|allowed rcpthosts|not a local domain|不允许转发|中继",
    ),
  },
  {
    kind: 'blocked',
    reason: 'spam',
    words: any(
      '\\bspam|spam\\b|junk|unsolicited|bulk (?:e-?)?mail|virus|malware|infected|phish|malicious|viruses|trojan|\\b(?:content|message|mail|body|attachment|url)s?\\b.{0,30}(?:blocked|filter|denied|prohibited|not allowed|forbidden|banned)|垃圾|反垃圾|病毒|内容.{0,8}(?:拒绝|违规|禁止|敏感)|スパム|迷惑',
    ),
  },
  {
    kind: 'blocked',
    reason: 'policy',
    words: any(
      "polic(?:y|ies)|\\bblock(?:ed|ing|s)?\\b|\\bbanned\\b|prohibit|not (?:authori[sz]ed|allowed|permitted)|un-?authori[sz]ed|notauthorized|restrict|administrative|administratively|security|suspicious|suspected|suspicion|abuse|complaint|only accept|accepts? (?:mail|messages|e-?mail) (?:only )?from|members? only|moderat|(?:message|mail|e-?mail|transaction|connection|delivery|session|messages|data)\\b[^.]{0,20}(?:rejected|refused|denied|declined|not accepted)|refused by|rejected (?:by|due|because|for|as)|access (?:is )?denied|permission denied|denied by|forbidden|not accept(?:ing)? (?:mail|messages|e-?mail)? ?from|will not (?:accept|be accepted)|refuses? to accept|don't accept|poor|threat|risk|reject(?:ed)? by|local problem|\\b(?:dt|mi|hl|ip|rp|mx|dl|ic):[a-z]{3}\\b|ofr_?\\d|challenge|拒绝|拒收|屏蔽|策略|限制|拦截",
    ),
  },
  {
    kind: 'hard',
    reason: 'no-such-user',
    // these say so of spammers, too; beside a code of policy or a system they are not to be believed
    unless: /^(?:4|5\.[46]\.|5\.7\.)/,
    words: any(
      '(?:mail ?box|user|account|recipient|address)(?: is| was)? (?:not available|unavailable|not accessible)|requested action not taken|requested mail action aborted, mailbox|(?:recipient|address|user|mail ?box|rcpt|addresses|recipients)(?: address)?(?: was| were| has been| is)? (?:rejected|refused|invalid|not accepted|denied)|addressee|no such|unable to deliver to|(?:address|recipient)es? (?:failed|error)|address (?:not found|error)|undeliverable to|not deliverable|unknown recipients?|destinataire',
    ),
  },
];

/** The first rule whose words stand in `plain` (see `plainWords`), given the enhanced status code beside them. */
export const reasonIn = (plain: string, code: string | null): Pick<Rule, 'kind' | 'reason'> | null => {
  if (plain === '') return null;
  // Exchange Online refuses unknown recipients at its edge with these words, and others use them for a policy
  if (code === '5.4.1' && /recipient address rejected: access denied/.test(plain))
    return { kind: 'hard', reason: 'no-such-user' };
  const found = rules.find(({ words, unless }) => words.test(plain) && !(code !== null && unless?.test(code)));
  return found ? { kind: found.kind, reason: found.reason } : null;
};
