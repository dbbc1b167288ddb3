import type { Locale } from '../catalogue/topic.ts';
import type { SharedContent, Slots } from '../channels/channel.ts';
import type { Courier } from '../channels/courier.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import type { RuleVersion } from '../rules/rule.ts';
import type { Storage } from '../storage/storage.ts';
import { textIn } from '../text.ts';
import { evidenceText } from './evidence-words.ts';
import type { Change } from './tuning.ts';

type Tools = {
  templates: {
    rulePaused(input: { locale: Locale; link: string; rule: string; evidence: string }): {
      content: SharedContent;
      slots: Partial<Slots>;
    };
  };
  courier: Pick<Courier, 'post'>;
  edges: Pick<Edges, 'now'>;
  config: Pick<Config, 'publicUrl' | 'locale'>;
};

const weekMs = 7 * 24 * 60 * 60 * 1000;
const versionsRead = 100;

/** Writes to whoever wrote a rule last, of those who have an account: versions that tuning made are nobody's. */
export const makeOwnerTeller = (stores: Pick<Storage, 'rules' | 'access'>, tools: Tools) => {
  const { templates, courier, edges, config } = tools;

  const addressOf = async (rule: string): Promise<string | null> => {
    const writers = (await stores.rules.versionsOf(rule, versionsRead)).map(({ writer }) => writer);
    for (const writer of new Set(writers)) {
      const account = await stores.access.staff(writer);
      if (account && account.email !== '') return account.email;
    }
    return null;
  };

  return async ({ rule, content }: RuleVersion, { evidence }: Change): Promise<void> => {
    const email = await addressOf(rule);
    if (email === null) return;
    const { locale, publicUrl } = config;
    const letter = templates.rulePaused({
      locale,
      link: `${publicUrl}/staff`,
      rule: content.name,
      evidence: evidenceText(evidence, textIn(locale)),
    });
    await courier.post({ channel: 'email', email }, letter.content, letter.slots, edges.now() + weekMs);
  };
};
