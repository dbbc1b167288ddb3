import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { broadcastChannels, channelTable, personalChannels } from '../src/channel-docs.ts';
import { makeChannels } from '../src/channels/make-channels.ts';
import { readConfig } from '../src/config.ts';
import { configTable, envExample } from '../src/config-docs.ts';
import { realEdges } from '../src/edges.ts';
import { makeLog } from '../src/log.ts';
import { projectRoot } from '../src/project-root.ts';
import { publishIn } from './helpers/published.ts';
import { makeTown } from './helpers/town.ts';

const read = (name: string): string => readFileSync(join(projectRoot, name), 'utf8');

describe('the documents', () => {
  it('hold the configuration table of config.ts (npm run docs writes it)', () => {
    expect(read('README.md')).toContain(configTable());
  });

  it('hold every environment name in .env.example', () => {
    expect(read('.env.example')).toBe(envExample());
  });

  it('hold the table of channels (npm run docs writes it)', () => {
    expect(read('docs/channels.md')).toContain(`<!-- channels -->\n${channelTable()}\n<!-- /channels -->`);
  });

  it('say of each personal channel whether messages leave by it, as they do', async () => {
    const config = readConfig({ DATA_DIR: tmpdir(), WEB_PUSH: 'outbox' });
    const vapid = { publicKey: '', privateKey: '' };
    const channels = makeChannels(config, { vapid, edges: realEdges, log: makeLog('silent') });
    const said = Object.entries(personalChannels).flatMap(([name, { sends }]) => (sends ? [name] : []));
    expect([...channels.keys()].sort()).toEqual(said.sort());
    for (const channel of channels.values()) await channel.close();
  });

  it('name what machines read by the media types under which it is sent', async () => {
    const town = await makeTown();
    const item = await publishIn(town, { urgency: 'emergency' });
    for (const format of ['atom', 'json', 'calendar'] as const)
      expect((await town.feeds.document({ kind: 'latest' }, format, 'en'))?.type).toBe(broadcastChannels[format].type);
    expect((await town.feeds.alert(item.item))?.type).toBe(broadcastChannels.cap.type);
    await town.close();
  });
});
