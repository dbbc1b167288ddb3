import type { Topic } from './topic.ts';

const topic = (slug: string, zh: string, en: string): Topic => ({ slug, title: { en, 'zh-CN': zh }, parent: null });

/** The eight classes of public information that every office starts with; it adds its own below them. */
export const defaultTopics: readonly Topic[] = [
  topic('institutions', '机构职能', 'Institutions and duties'),
  topic('policies', '政策法规', 'Policies and regulations'),
  topic('licensing', '行政许可', 'Administrative licensing'),
  topic('penalties', '行政处罚', 'Administrative penalties'),
  topic('services', '公共服务', 'Public services'),
  topic('budgets', '财政资金', 'Budgets and public funds'),
  topic('personnel', '人事人才', 'Personnel and recruitment'),
  topic('other', '其他', 'Other: environment, work safety, food and drugs'),
];
