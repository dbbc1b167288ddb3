import { type Request, type Response, Router } from 'express';
import type { PublicItem } from '../../catalogue/item-reader.ts';
import { AppError } from '../../errors.ts';
import { type FeedSource, feedPath, sourceOfTarget } from '../../feeds/feed-source.ts';
import { defineFollow } from '../../subscriptions/follow.ts';
import { followWords } from '../../subscriptions/follow-words.ts';
import { factsOfItem, followMatches } from '../../subscriptions/matching.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { noticeCard, topicTitle, type Voice } from '../pages/present.ts';
import { followOf, pathPart, queryText, searchOf, targetQuery } from '../pages/request.ts';

const pageSize = 20;

/** Where a feed reader finds the same. */
const feedLinks = (voice: Voice, source: FeedSource, what?: string) => ({
  what,
  atom: feedPath(source, 'atom', voice.locale),
  json: feedPath(source, 'json', voice.locale),
  calendar: source.kind === 'topic' || source.kind === 'department' ? feedPath(source, 'calendar', voice.locale) : null,
});

const topicHref = (slug: string): string => `/topics/${encodeURIComponent(slug)}`;

const weekMs = 7 * 24 * 60 * 60 * 1000;

const topicCards = async (deps: CitizenDeps, voice: Voice, parent: string | null) => {
  const topics = voice.trees.topics.filter((topic) => topic.parent === parent);
  const [followers, news] = await Promise.all([
    deps.subscriptions.topicFollowers(topics.map((topic) => topic.slug)),
    deps.items.newsSince(deps.edges.now() - weekMs),
  ]);
  return topics.map(({ slug, title }) => ({
    href: topicHref(slug),
    title: title[voice.locale],
    followers: followers.get(slug) ?? 0,
    news: news.get(slug) ?? 0,
    children: voice.trees.topics.filter((topic) => topic.parent === slug).map((topic) => topic.title[voice.locale]),
  }));
};

/** The topic right above, as a way back. */
const above = (voice: Voice, slug: string) => {
  const parent = voice.trees.topicParents.get(slug);
  return parent ? { href: topicHref(parent), title: topicTitle(voice, parent) } : null;
};

const nextHref = (req: Request, next: string | null): string | null =>
  next === null ? null : `${req.path}?${targetQuery(req)}&after=${encodeURIComponent(next)}`;

const home = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const voice = await pages.voice(req);
  const latest = await deps.items.search({ cursor: null, limit: 6 });
  pages.show(req, res, 'home', {
    topics: await topicCards(deps, voice, null),
    notices: latest.rows.map((item) => noticeCard(voice, item)),
    feeds: feedLinks(voice, { kind: 'latest' }),
  });
};

const topics = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const voice = await pages.voice(req);
  pages.show(req, res, 'topics', { topics: await topicCards(deps, voice, null) });
};

const topic = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const slug = pathPart(req, 'slug');
  const voice = await pages.voice(req);
  if (!voice.trees.topicParents.has(slug)) throw new AppError('not-found', 'there is no such topic');
  const [found, followers] = await Promise.all([
    deps.items.search({ topic: slug, cursor: queryText(req, 'after'), limit: pageSize }),
    deps.subscriptions.topicFollowers([slug]),
  ]);
  pages.show(req, res, 'topic', {
    slug,
    title: topicTitle(voice, slug),
    above: above(voice, slug),
    followers: followers.get(slug) ?? 0,
    feeds: feedLinks(voice, { kind: 'topic', slug }),
    children: await topicCards(deps, voice, slug),
    notices: found.rows.map((item) => noticeCard(voice, item)),
    next: nextHref(req, found.next),
  });
};

/** What a department published, by its name in notices; where it published nothing there is no such page. */
const department = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const name = pathPart(req, 'name');
  const after = queryText(req, 'after');
  const voice = await pages.voice(req);
  const found = await deps.items.search({ department: name, cursor: after, limit: pageSize });
  if (found.rows.length === 0 && after === null) throw new AppError('not-found', 'no such department published');
  pages.show(req, res, 'department', {
    name,
    feeds: feedLinks(voice, { kind: 'department', name }),
    notices: found.rows.map((item) => noticeCard(voice, item)),
    next: nextHref(req, found.next),
  });
};

const suggestionsMost = 6;

/** The topics of these notices with how many of them are in each, the fullest first. */
const topicsAmong = (voice: Voice, rows: readonly PublicItem[]) => {
  const counts = new Map<string, number>();
  for (const slug of rows.flatMap(({ content }) => content.topics)) counts.set(slug, (counts.get(slug) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, suggestionsMost)
    .map(([slug, count]) => ({ slug, title: topicTitle(voice, slug), count }));
};

/** What may be followed of a search: its words, which find keywords alone, and the topics of what it found in the text too. */
const offerOf = (voice: Voice, q: string, chosen: string | null, rows: readonly PublicItem[]) => {
  const request = followOf(searchOf(q, chosen));
  if (!request) return null;
  const definition = defineFollow(request);
  const source = sourceOfTarget(definition.target);
  const facts = rows.map(({ id, content }) => factsOfItem(id, { ...content, visibility: 'public' }, voice.trees));
  const words = followWords(request.target, { ...voice, items: new Map() });
  return {
    words,
    fits: facts.filter((one) => followMatches(definition, one)).length,
    shown: rows.length,
    topics: topicsAmong(voice, rows),
    feeds: source && feedLinks(voice, source, words),
  };
};

const search = (deps: CitizenDeps, pages: Pages) => async (req: Request, res: Response) => {
  const voice = await pages.voice(req);
  const [q, asked] = [queryText(req, 'q'), queryText(req, 'topic')];
  const chosen = asked && voice.trees.topicParents.has(asked) ? asked : null;
  const found = await deps.items.search({
    q: q ?? undefined,
    topic: chosen ?? undefined,
    cursor: queryText(req, 'after'),
    limit: pageSize,
  });
  const first = queryText(req, 'after') === null;
  if (first && (q || chosen))
    void deps.visitors.record(req, [{ kind: 'search', query: q ?? undefined, topic: chosen ?? undefined }]);
  const offer = q && first ? offerOf(voice, q, chosen, found.rows) : null;
  pages.show(req, res, 'search', {
    q: q ?? '',
    chosen,
    chosenTitle: chosen && topicTitle(voice, chosen),
    topicChoices: voice.trees.topics.map(({ slug, title }) => ({ value: slug, text: title[voice.locale] })),
    offer,
    feeds: q ? offer?.feeds : feedLinks(voice, chosen ? { kind: 'topic', slug: chosen } : { kind: 'latest' }),
    faults: queryText(req, 'follow') === 'none' ? { 'follow-words': 'fault.nothingChosen' } : {},
    followHref: chosen && !q ? `/follow?${targetQuery(req)}` : null,
    notices: found.rows.map((item) => noticeCard(voice, item)),
    next: nextHref(req, found.next),
  });
};

/** What anybody may read: front page, topics, search. */
export const browseRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .get('/', home(deps, pages))
    .get('/topics', topics(deps, pages))
    .get('/topics/:slug', topic(deps, pages))
    .get('/departments/:name', department(deps, pages))
    .get('/search', search(deps, pages))
    .get('/about', (req, res) => pages.show(req, res, 'about', deps.config.feedback));
