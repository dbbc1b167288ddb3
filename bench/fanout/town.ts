import { readFileSync } from 'node:fs';
import type { Service } from '../../test/helpers/start-service.ts';
import { notice } from './bare.ts';

export type Push = { id: string; state: string; createdAt: string; finishedAt: string; counts: Record<string, number> };

export const importPeople = async (
  service: Service,
  count: number,
  contact: (n: number) => object,
  topics: (n: number) => string[],
): Promise<void> => {
  const chunk = 20_000;
  for (let from = 0; from < count; from += chunk) {
    const lines = Array.from({ length: Math.min(chunk, count - from) }, (_, at) => {
      const n = from + at;
      return JSON.stringify({
        externalId: `p${n}`,
        ...contact(n),
        verified: true,
        follow: topics(n).map((topic) => ({ topic })),
      });
    });
    const { body } = await service.api('POST', '/subscribers/import', lines.join('\n'));
    const { failed, errors } = body as { failed: number; errors: unknown[] };
    if (failed > 0) throw new Error(`import failed: ${JSON.stringify(errors[0])}`);
  }
};

/** Publishes to `topic`; answers people a second from the creation of the push to its end, by the service's own times. */
export const publish = async (service: Service, topic: string, expected: number): Promise<number> => {
  const item = { ...notice, topics: [topic] };
  const { id } = (await service.api('POST', '/items', item)).body as { id: string };
  const { push } = (await service.api('POST', `/items/${id}/publish`)).body as { push: Push };
  for (;;) {
    const now = (await service.api('GET', `/pushes/${push.id}`)).body as Push;
    if (now.state === 'done') {
      if (now.counts.sent !== expected) throw new Error(`sent ${now.counts.sent}, not ${expected}`);
      return (expected / (Date.parse(now.finishedAt) - Date.parse(now.createdAt))) * 1000;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

/** Peak resident memory of the service's workers in MB, as the kernel counted it. */
export const workerPeak = (service: Service): number =>
  Math.max(
    ...service
      .workers()
      .map((pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024),
  );
