import type { Staff } from '../../access/access-store.ts';
import type { AudienceService, Counted } from '../../audience/audience-service.ts';
import { fewerThan, maskedCounts, maskedList, maskedWarnings } from '../api/masking.ts';
import { regionName, type Voice } from '../pages/present.ts';
import { numberText } from '../staff/report-tables.ts';
import type { StaffDeps } from '../staff/staff-pages.ts';

type Preview = Awaited<ReturnType<AudienceService['preview']>>;

const rowsMost = 12;

/** A count in words: so few that they are not told are "fewer than 10". */
export const peopleText = (voice: Voice, people: number | null): string =>
  people === null ? voice.t('publisher:audience.few') : numberText(voice, people);

type Named = (key: string) => string;

/** Counts as bars: the longest is whole, the others are their share of it. */
const bars = (voice: Voice, list: Counted[], exact: boolean, name: Named) => {
  const rows: { key: string; people: number | null }[] = maskedList(list, exact);
  const most = Math.max(1, ...rows.map(({ people }) => people ?? 0));
  return {
    rows: rows.slice(0, rowsMost).map(({ key, people }) => ({
      name: name(key),
      people: peopleText(voice, people),
      share: (people ?? 0) / most,
    })),
    more: Math.max(0, rows.length - rowsMost),
  };
};

/** An audience as pages show it: how many, by region, language and channel; `exact`: also where they are few. */
export const audienceView = (voice: Voice, found: Preview, exact: boolean) => {
  const { t } = voice;
  const { people }: { people: number | null } = maskedCounts({ people: found.people }, exact, ['people']);
  const languages = new Intl.DisplayNames(voice.locale, { type: 'language', fallback: 'code' });
  const channels = Object.entries(found.reachable).map(([key, count]) => ({ key, people: count }));
  return {
    people: peopleText(voice, people),
    // by which the words beside it are chosen; so few that they are not told are several
    count: people ?? fewerThan,
    parts: [
      {
        title: t('publisher:audience.byRegion'),
        ...bars(voice, found.byRegion, exact, (key) => regionName(voice, key)),
      },
      {
        title: t('publisher:audience.byLanguage'),
        ...bars(voice, found.byLanguage, exact, (key) => languages.of(key) ?? key),
      },
      {
        title: t('publisher:audience.byChannel'),
        ...bars(
          voice,
          channels.filter((one) => one.people > 0).sort((a, b) => b.people - a.people),
          exact,
          (key) => t(`channel.${key}`),
        ),
      },
    ],
    sample: found.sample.map(({ subscriber, locale, region, addresses }) => ({
      ...{ subscriber, addresses },
      facts: [locale === 'en' ? 'English' : '中文', ...(region === null ? [] : [regionName(voice, region)])].join(
        ' · ',
      ),
    })),
    warnings: maskedWarnings(found.warnings, exact, found.people).map((one) => t(`publisher:audience.warning.${one}`)),
    tookMs: found.tookMs,
  };
};

/** That an administrator was shown exact numbers, however few people they are about (api: Rules and audiences). */
export const auditExact = (
  { access }: Pick<StaffDeps, 'access'>,
  { id }: Pick<Staff, 'id'>,
  subject: string | null,
): Promise<void> => access.audit({ actor: id, action: 'previewAudience', subject, details: { by: 'page' } });
