import type { z } from 'zod';
import type { RuleVersion } from '../rules/rule.ts';
import type { RuleView } from '../rules/rule-service.ts';
import type { ruleShape, ruleVersionShape } from './api/rules.ts';

const time = (at: number): string => new Date(at).toISOString();
const timeOrNull = (at: number | null): string | null => (at === null ? null : time(at));

export const presentRule = ({ rule, version }: RuleView): z.output<typeof ruleShape> => ({
  id: rule.id,
  state: rule.state,
  version: version.version,
  active: rule.active,
  pending: rule.inReview === null ? null : { version: rule.inReview, state: 'in-review' },
  rejection: rule.rejection,
  ...version.content,
  writer: version.writer,
  approvedBy: version.approvedBy,
  usedAt: timeOrNull(version.usedAt),
  createdAt: time(rule.createdAt),
  updatedAt: time(rule.updatedAt),
});

export const presentRuleVersion = (one: RuleVersion): z.output<typeof ruleVersionShape> => ({
  version: one.version,
  writer: one.writer,
  approvedBy: one.approvedBy,
  createdAt: time(one.createdAt),
  usedAt: timeOrNull(one.usedAt),
});
