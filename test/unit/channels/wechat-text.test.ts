import { fieldsOf, readTemplate } from '../../../src/channels/wechat/template-fields.ts';
import { classifyWechat, untilMidnight } from '../../../src/channels/wechat/wechat-answer.ts';

const id = 'ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY';
const at = Date.parse('2026-06-10T20:05:00Z');
const slots = { unsubscribe: '', manage: '', item: '', reason: '您关注了公共服务', token: '' };
const filled = (field: string, title: string): string | undefined =>
  fieldsOf(readTemplate(`${id}?${field}`), { title, short: 'short' }, slots, at)[field.split('=')[0] ?? '']?.value;

describe('fields of a template', () => {
  it('hold what the operator wrote, in Beijing’s time', () => {
    const template = readTemplate(
      `${id}?thing1=title&thing2=summary&thing3=reason&time4=time&date5=time&phrase6='已发布'`,
    );
    expect(fieldsOf(template, { title: '公租房申请', short: '摘要' }, slots, at)).toEqual({
      thing1: { value: '公租房申请' },
      thing2: { value: '摘要' },
      thing3: { value: '您关注了公共服务' },
      time4: { value: '2026年6月11日 04:05' },
      date5: { value: '2026年6月11日' },
      phrase6: { value: '已发布' },
    });
  });

  it.each([
    ['thing1=title', '十'.repeat(20), '十'.repeat(20)],
    ['thing1=title', '十'.repeat(21), `${'十'.repeat(19)}…`],
    ['thing1=title', `${'十'.repeat(18)}👨‍👩‍👧好`, `${'十'.repeat(18)}…`],
    ['thing1=title', 'e\u0301'.repeat(11), `${'e\u0301'.repeat(9)}…`],
    ['thing1=title', 'one\ntwo\u0007three', 'one two three'],
    ['thing1=title', ' \n ', '-'],
    ['character_string2=title', '编号 A-1／2026', 'A-1 2026'],
    ['phrase3=title', 'a 住房保障通知 b', '住房保障通'],
    ['phrase3=title', 'only latin', '通知'],
  ])('%s of %j is %j', (field, title, expected) => {
    expect(filled(field, title)).toBe(expected);
  });

  it.each(['', id, `${id}?amount1=title`, `${id}?thing1=body`, 'short?thing1=title'])('%j is refused', (text) => {
    expect(() => readTemplate(text)).toThrow(/WECHAT_TEMPLATE/);
  });
});

describe('an answer of WeChat', () => {
  it('ends its quota at midnight in Beijing', () => {
    expect(untilMidnight(Date.parse('2026-06-10T15:59:59Z'))).toBe(1_000);
    expect(untilMidnight(Date.parse('2026-06-10T16:00:00Z'))).toBe(86_400_000);
    expect(classifyWechat(200, 45009, at)).toEqual({
      verdict: { kind: 'throttled', reason: 'throttled', retryAfterMs: untilMidnight(at) },
      operator: true,
    });
  });

  it.each([
    [200, 0, null],
    [200, 43004, { verdict: { kind: 'permanent', reason: 'not-following' } }],
    [200, 43101, { verdict: { kind: 'permanent', reason: 'opted-out-at-provider' } }],
    [200, 40001, { verdict: { kind: 'transient', reason: 'auth' }, token: true }],
    [200, 42001, { verdict: { kind: 'transient', reason: 'auth' }, token: true }],
    [200, 40037, { verdict: { kind: 'permanent', reason: 'template-refused' }, operator: true }],
    [200, 47003, { verdict: { kind: 'permanent', reason: 'template-refused' }, operator: true }],
    [200, 40164, { verdict: { kind: 'transient', reason: 'auth' }, operator: true }],
    [200, -1, { verdict: { kind: 'transient', reason: 'provider-error' } }],
    [200, 45011, { verdict: { kind: 'throttled', reason: 'throttled', retryAfterMs: 60_000 } }],
    [502, undefined, { verdict: { kind: 'transient', reason: 'provider-error' } }],
    [200, undefined, { verdict: { kind: 'transient', reason: 'bad-answer' } }],
  ])('HTTP %s with errcode %s is %j', (status, code, expected) => {
    expect(classifyWechat(status, code, at)).toEqual(expected);
  });
});
