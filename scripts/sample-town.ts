/**
 * The sample town of the demo: an invented place with invented people. Everything is made from the numbers below, so that
 * every run makes the same town.
 */
type Bilingual = { en: string; 'zh-CN': string };

export const townTopics: { slug: string; title: Bilingual; parent: string }[] = [
  { slug: 'water', title: { en: 'Water supply', 'zh-CN': '供水' }, parent: 'services' },
  { slug: 'transport', title: { en: 'Buses and roads', 'zh-CN': '公交与道路' }, parent: 'services' },
  { slug: 'schools', title: { en: 'Schools', 'zh-CN': '学校' }, parent: 'services' },
  { slug: 'health', title: { en: 'Health', 'zh-CN': '医疗卫生' }, parent: 'services' },
  { slug: 'weather', title: { en: 'Weather and floods', 'zh-CN': '天气与防汛' }, parent: 'other' },
  { slug: 'environment', title: { en: 'Environment', 'zh-CN': '环境保护' }, parent: 'other' },
  { slug: 'vacancies', title: { en: 'Vacancies', 'zh-CN': '招聘信息' }, parent: 'personnel' },
];

export const townRegions: { code: string; name: Bilingual; parent: string | null }[] = [
  { code: 'QS', name: { en: 'Qingshi Town', 'zh-CN': '青石镇' }, parent: null },
  { code: 'QS-EAST', name: { en: 'East Bank', 'zh-CN': '河东片区' }, parent: 'QS' },
  { code: 'QS-WEST', name: { en: 'West Bank', 'zh-CN': '河西片区' }, parent: 'QS' },
  { code: 'QS-OLD', name: { en: 'Old Town', 'zh-CN': '老城片区' }, parent: 'QS' },
  { code: 'QS-EAST-1', name: { en: 'Willow Quarter', 'zh-CN': '柳荫社区' }, parent: 'QS-EAST' },
  { code: 'QS-EAST-2', name: { en: 'Quarry Village', 'zh-CN': '石场村' }, parent: 'QS-EAST' },
];

type Item = {
  externalId: string;
  topics: string[];
  regions?: string[];
  keywords?: string[];
  urgency?: 'routine' | 'important' | 'emergency';
  zh: [title: string, summary: string];
  en: [title: string, summary: string];
};

const items: Item[] = [
  {
    externalId: 'town-01',
    topics: ['transport'],
    zh: ['三路公交临时改道', '因中山桥检修，三路公交自周一起改走滨河路，往返均停靠图书馆站。'],
    en: [
      'Bus 3 takes another way',
      'While Zhongshan Bridge is inspected, bus 3 runs along Riverside Road from Monday and stops at the library both ways.',
    ],
  },
  {
    externalId: 'town-02',
    topics: ['schools'],
    zh: ['小学入学登记开始', '新学年小学入学登记于下周一开始，请携带户口簿和预防接种证。'],
    en: [
      'Primary school registration opens',
      'Registration for the new school year opens next Monday. Bring the household register and the vaccination record.',
    ],
  },
  {
    externalId: 'town-03',
    topics: ['budgets'],
    zh: ['镇政府公布年度预算', '本年度财政预算已经镇人民代表大会批准，现予公布。'],
    en: [
      'The town publishes its budget',
      'The budget of the year was approved by the town’s congress and is published here.',
    ],
  },
  {
    externalId: 'town-04',
    topics: ['health'],
    zh: ['流感疫苗接种安排', '六十岁以上居民可在社区卫生服务站免费接种流感疫苗。'],
    en: [
      'Flu vaccination days',
      'Residents over sixty are vaccinated against flu free of charge at the community health stations.',
    ],
  },
  {
    externalId: 'town-05',
    topics: ['licensing'],
    zh: ['个体工商户登记可网上办理', '自本月起，个体工商户的设立、变更和注销均可网上办理。'],
    en: [
      'Register a small business online',
      'From this month a small business can be set up, changed and closed online.',
    ],
  },
  {
    externalId: 'town-06',
    topics: ['environment'],
    regions: ['QS-OLD'],
    zh: ['老城片区垃圾分类投放时间调整', '老城片区厨余垃圾投放时间改为早六点至八点、晚六点至八点。'],
    en: [
      'New hours for waste in Old Town',
      'Kitchen waste in Old Town is taken from six to eight in the morning and in the evening.',
    ],
  },
  {
    externalId: 'town-07',
    topics: ['vacancies'],
    zh: ['图书馆招聘管理员两名', '镇图书馆公开招聘管理员两名，报名截至月底。'],
    en: [
      'The library is hiring',
      'The town library is hiring two librarians; applications close at the end of the month.',
    ],
  },
  {
    externalId: 'town-08',
    topics: ['penalties'],
    zh: ['食品安全抽检处罚公示', '市场监管所公示本季度食品安全抽检中三起行政处罚。'],
    en: [
      'Penalties after food inspections',
      'Three penalties that followed this quarter’s food inspections are made public.',
    ],
  },
  {
    externalId: 'town-09',
    topics: ['policies'],
    zh: ['老旧小区加装电梯补助办法', '符合条件的老旧小区加装电梯，每部可获补助。'],
    en: [
      'Grants for lifts in old buildings',
      'Older residential buildings that fit the conditions can get a grant for each lift.',
    ],
  },
  {
    externalId: 'town-10',
    topics: ['institutions'],
    zh: ['政务服务中心新址开放', '政务服务中心迁至人民路十八号，办公时间不变。'],
    en: ['The service centre has moved', 'The service centre is now at 18 Renmin Road; its hours stay the same.'],
  },
  {
    externalId: 'town-11',
    topics: ['weather'],
    urgency: 'important',
    zh: ['周末有大到暴雨', '预计周六夜间至周日有大到暴雨，请留意低洼路段积水。'],
    en: ['Heavy rain at the weekend', 'Heavy rain is expected from Saturday night to Sunday. Mind low-lying roads.'],
  },
  {
    externalId: 'town-12',
    topics: ['transport'],
    regions: ['QS-WEST'],
    zh: ['河西大道夜间封闭施工', '河西大道本周每晚十点至次日五点封闭铺设路面。'],
    en: [
      'West Bank Avenue closed at night',
      'West Bank Avenue is closed from ten at night to five in the morning this week for resurfacing.',
    ],
  },
  {
    externalId: 'town-13',
    topics: ['schools', 'health'],
    zh: ['中小学生体检安排', '全镇中小学生体检将于下月分批进行。'],
    en: ['Health checks in schools', 'All pupils of the town have their health check next month, school by school.'],
  },
  {
    externalId: 'town-14',
    topics: ['budgets', 'policies'],
    zh: ['惠民补贴发放公示', '本季度惠民补贴发放名单及金额汇总予以公示。'],
    en: ['Household support paid out', 'The totals of this quarter’s household support are made public.'],
  },
  {
    externalId: 'town-15',
    topics: ['water'],
    regions: ['QS-EAST'],
    keywords: ['停水', 'water'],
    urgency: 'important',
    zh: ['河东片区周三停水检修', '因主管道检修，河东片区周三上午八时至下午四时停水，请提前储水。'],
    en: [
      'No water in East Bank on Wednesday',
      'The main pipe is repaired on Wednesday: there is no water in East Bank from eight in the morning to four in the afternoon. Please store some.',
    ],
  },
];

export const headline = 'town-15';

/** The items as POST /items takes them: written in Chinese, with an English translation. */
export const townItems = items.map(({ zh, en, ...rest }) => ({
  ...rest,
  title: zh[0],
  summary: zh[1],
  language: 'zh-CN',
  translations: { en: { title: en[0], summary: en[1] } },
}));

const peopleCount = 500;
const homes = ['QS-EAST-1', 'QS-EAST-2', 'QS-WEST', 'QS-OLD', 'QS-EAST', 'QS-WEST', 'QS-OLD'];
const interests: object[] = [
  { topic: 'services' },
  { topic: 'water' },
  { topic: 'transport' },
  { topic: 'schools' },
  { topic: 'weather' },
  { topic: 'budgets' },
  { search: { any: { keywords: ['停水', '停电'] } } },
  { search: { all: { topics: ['services'], urgency: ['important'] } } },
  { topic: 'health' },
  { topic: 'vacancies' },
];
const paces = ['immediate', 'immediate', 'daily', 'immediate', 'weekly'] as const;

const pick = <T>(list: readonly T[], at: number): T => list[at % list.length] as T;

/** One person as POST /subscribers/import takes them. `keys`: a browser's key pair for those who use web push. */
const person = (n: number, keys: { p256dh: string; auth: string }) => {
  const number = String(n).padStart(3, '0');
  const region = pick(homes, n * 3);
  const local = n % 4 === 0 ? { regions: [region] } : {};
  const pace = pick(paces, n);
  const channel = pick(['email', 'email', 'sms', 'webPush', 'email', 'webPush', 'email'] as const, n);
  const contact = {
    email: { email: `resident${number}@qingshi.example` },
    sms: { phone: `+86138000${String(10_000 + n)}` },
    webPush: { webPush: { endpoint: `https://push.qingshi.example/device/${number}`, keys } },
  }[channel];
  return {
    externalId: `resident-${number}`,
    ...contact,
    verified: true,
    locale: n % 4 === 3 ? 'en' : 'zh-CN',
    region,
    timeZone: n % 11 === 0 ? 'Europe/London' : 'Asia/Shanghai',
    ...(n % 6 === 0 ? { quietHours: { from: '22:00', to: '07:00' } } : {}),
    follow: [
      { ...pick(interests, n), pace, ...local },
      { ...pick(interests, n * 3 + 1), pace: pick(paces, n + 2) },
    ],
  };
};

/** Everybody, as NDJSON. */
export const townPeople = (keys: { p256dh: string; auth: string }): string =>
  Array.from({ length: peopleCount }, (_, at) => `${JSON.stringify(person(at + 1, keys))}\n`).join('');
