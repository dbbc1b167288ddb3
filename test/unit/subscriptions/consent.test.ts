import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../src/project-root.ts';
import { type Consents, consentWording, giveConsent, withdrawConsent } from '../../../src/subscriptions/consent.ts';
import { locales } from '../../../src/text.ts';

const none: Consents = { personalisation: false };
const page = { how: 'page', wording: consentWording('en') } as const;

describe('consent', () => {
  it('is proved by its first time, until new words are read', () => {
    const given = giveConsent(none, page, 5);
    expect(given).toEqual({ personalisation: true, given: { at: 5, ...page } });
    expect(giveConsent(given, page, 9)).toBe(given);
    expect(giveConsent(given, { how: 'api', wording: null }, 9)).toBe(given);
    expect(giveConsent(given, { how: 'page', wording: 'personalisation-next/en' }, 9).given?.at).toBe(9);
  });

  it('keeps its proof when it is taken back, and starts anew when it is given again', () => {
    const given = giveConsent(none, page, 5);
    const withdrawn = withdrawConsent(given, 7);
    expect(withdrawn).toEqual({ personalisation: false, given: given.given, withdrawnAt: 7 });
    expect(withdrawConsent(withdrawn, 8)).toBe(withdrawn);
    expect(withdrawConsent(none, 8)).toBe(none);
    expect(giveConsent(withdrawn, page, 9)).toEqual({ personalisation: true, given: { at: 9, ...page } });
  });

  /** What people agreed to in each version of the wording; a changed text needs a new version, and a new line here. */
  const agreedTo: Record<string, string> = {
    'personalisation-1/en': '2qf_xtZxp3O1',
    'personalisation-1/zh-CN': 'APVtUlRYUrYY',
    'personalisation-2/en': '2qf_xtZxp3O1',
    'personalisation-2/zh-CN': 'bOwOykPCek2G',
  };

  it.each(locales)('has a new version whenever its words change (%s)', (locale) => {
    const { consent } = JSON.parse(readFileSync(join(projectRoot, 'locales', locale, 'pages.json'), 'utf8'));
    const words = createHash('sha256').update(JSON.stringify(consent.words)).digest('base64url').slice(0, 12);
    expect({ [consentWording(locale)]: words }).toEqual({
      [consentWording(locale)]: agreedTo[consentWording(locale)],
    });
  });
});
