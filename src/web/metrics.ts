import type { RequestHandler } from 'express';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { IndexState } from '../audience/index-keeper.ts';
import type { OnSent } from '../channels/metered.ts';
import type { QueueDepth } from '../fanout/queue-store.ts';
import { channelNames } from '../subscriptions/follow.ts';
import { mergeExpositions } from './merge-expositions.ts';

export type Metrics = {
  /** Times every request by method, route and status. */
  observe: RequestHandler;
  /** Counts an attempt to send. */
  sent: OnSent;
  /** The Prometheus text exposition format and its media type; the worker processes' own are in it. */
  expose(): Promise<{ type: string; content: string }>;
};

export type MetricsSources = {
  /** Of the audience index, where the process keeps one. */
  index?: () => IndexState;
  /** What waits in the store, and the moment. */
  queues?: { depths(now: number): Promise<QueueDepth[]>; now: () => number };
  /** The expositions of worker processes that answer through this one. */
  workers?: () => Promise<string[]>;
  /** Which worker of its web process this is. */
  worker?: string;
};

const seconds = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

const ofIndex: [name: string, help: string, value: (state: IndexState) => number][] = [
  ['audience_index_ready', '1 once the audience index stands', ({ state }) => (state === 'ready' ? 1 : 0)],
  ['audience_index_people', 'People in the audience index', ({ people }) => people],
  ['audience_index_bytes', 'Memory of the audience index', ({ bytes }) => bytes],
  ['audience_index_lag', 'Change numbers that the audience index was behind when it last looked', ({ lag }) => lag],
  ['audience_index_rebuilds', 'How often the audience index was made anew', ({ rebuilds }) => rebuilds],
  [
    'audience_index_wrong',
    '1 while the last check of the audience index found it wrong',
    ({ wrong }) => (wrong ? 1 : 0),
  ],
  ['audience_index_faults', 'How often a check found the audience index wrong', ({ faults }) => faults],
];

const indexGauges = (registry: Registry, index: () => IndexState): void => {
  for (const [name, help, value] of ofIndex) {
    const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(value(index())) });
  }
};

/** The queues of the store, which all processes share: each tells the same. Answers what reads them anew. */
const queueGauges = (registry: Registry, { depths, now }: NonNullable<MetricsSources['queues']>) => {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge('store_up', '1 while the store answers');
  const waiting = gauge('queue_waiting', 'People or messages that could be served now and are not yet', ['queue']);
  const oldest = gauge('queue_oldest_seconds', 'For how long the first in the queue has waited', ['queue']);
  return async (): Promise<void> => {
    const at = now();
    const found = await depths(at).catch(() => null);
    up.set(found ? 1 : 0);
    // a store that is away says nothing of its queues: no number is better than an old one
    if (!found) for (const one of [waiting, oldest]) one.reset();
    for (const { queue, waiting: count, since } of found ?? []) {
      waiting.set({ queue }, count);
      oldest.set({ queue }, since === null ? 0 : Math.max(0, at - since) / 1000);
    }
  };
};

const sendCounters = (registry: Registry): OnSent => {
  const sent = new Counter({
    name: 'messages_sent_total',
    help: 'Messages that a provider took',
    labelNames: ['channel', 'message'],
    registers: [registry],
  });
  const failures = new Counter({
    name: 'message_failures_total',
    help: 'Attempts that failed, by kind (permanent, transient, throttled) and reason',
    labelNames: ['channel', 'message', 'kind', 'reason'],
    registers: [registry],
  });
  // from the first look on, so that a rate can be told from it
  for (const channel of channelNames) sent.inc({ channel, message: 'notification' }, 0);
  return (channel, { kind: message }, result) => {
    if (result.ok) sent.inc({ channel, message });
    else failures.inc({ channel, message, kind: result.kind, reason: result.reason });
  };
};

let ofNode: Registry | undefined;

/** Adds what Node tells of this process. It is watched once: each watch of garbage and event loop stays until the process ends. */
const addNode = (registry: Registry): void => {
  if (ofNode === undefined) {
    ofNode = new Registry();
    collectDefaultMetrics({ register: ofNode });
  }
  for (const { name } of ofNode.getMetricsAsArray()) {
    const metric = ofNode.getSingleMetric(name);
    if (metric) registry.registerMetric(metric);
  }
};

/** Metrics of one process in a registry of their own, with what `sources` tell. */
export const makeMetrics = (sources: MetricsSources = {}): Metrics => {
  const { index, queues, workers, worker } = sources;
  const registry = new Registry();
  if (worker !== undefined) registry.setDefaultLabels({ worker });
  addNode(registry);
  if (index) indexGauges(registry, index);
  const readQueues = queues ? queueGauges(registry, queues) : async () => undefined;
  const sent = sendCounters(registry);
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: seconds,
    registers: [registry],
  });
  return {
    sent,
    observe: (req, res, next) => {
      const stop = durations.startTimer({ method: req.method });
      // paths hold ids and tokens: only the route they fell on may be a label
      res.once('finish', () =>
        stop({ route: res.locals.route ?? req.route?.path?.toString() ?? 'other', status: res.statusCode }),
      );
      next();
    },
    expose: async () => {
      const [others] = await Promise.all([workers?.() ?? [], readQueues()]);
      return { type: registry.contentType, content: mergeExpositions([await registry.metrics(), ...others]) };
    },
  };
};
