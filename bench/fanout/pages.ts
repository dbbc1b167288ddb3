import autocannon from 'autocannon';
import type { Service } from '../../test/helpers/start-service.ts';

const seconds = process.argv.includes('--quick') ? 3 : 10;
const pagesASecond = 50;

/** p50 and p99 of the topic page in ms; a request that waits for its connection is counted from when it was due. */
export const pages = async (service: Service): Promise<[number, number]> => {
  const { latency, non2xx, errors } = await autocannon({
    url: `${service.url}/topics/services`,
    connections: 10,
    overallRate: pagesASecond,
    duration: seconds,
  });
  if (non2xx + errors > 0) throw new Error(`the topic page failed ${non2xx + errors} times`);
  return [latency.p50, latency.p99];
};
