import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError } from '../src/config.ts';
import { exitCode, type Finding, report } from '../src/doctor/finding.ts';
import { judgeConfig, judgeFaults, judgeNode } from '../src/doctor/judge-config.ts';
import { judgeClock, judgeDkim, judgeService, judgeSmtp, judgeVapid } from '../src/doctor/judge-outside.ts';
import { judgeDisk, judgeMongo, judgeSecret, judgeSqlite } from '../src/doctor/judge-store.ts';
import { readEnvironment } from '../src/environment.ts';
import { projectRoot } from '../src/project-root.ts';
import { diskFact, dkimFact, keptSecret, opens, serviceFact, smtpFacts, storeFacts } from './doctor-probes.ts';

/**
 * `npm run doctor`: looks at everything that the service leans on, with the environment of the service, and says what to do.
 * It changes nothing and sends nothing; the service may be running. Exit 1 where something keeps the service from its work.
 */
const configOrFaults = (): Config | Finding[] => {
  try {
    return readEnvironment(process.env);
  } catch (error) {
    if (error instanceof ConfigError) return judgeFaults(error.faults);
    throw error;
  }
};

const vapidFinding = ({ webPush }: Config, isSealed: boolean): Finding => {
  const kept = isSealed ? 'store' : 'none';
  const source = webPush.outbox ? 'outbox' : webPush.vapid ? 'environment' : kept;
  return judgeVapid({ source, subject: webPush.subject });
};

const examine = async (config: Config): Promise<Finding[]> => {
  const [store, smtp, dkim, service] = await Promise.all([
    storeFacts(config),
    smtpFacts(config),
    dkimFact(config),
    serviceFact(config),
  ]);
  return [
    ...judgeConfig(config),
    store.fact.engine === 'sqlite' ? judgeSqlite(store.fact.is) : judgeMongo(store.fact.is),
    judgeSecret(opens(keptSecret(config), store.wrapped)),
    ...judgeDisk(diskFact(config, store.bytes)),
    ...smtp.map(judgeSmtp),
    ...(dkim ? [judgeDkim(dkim)] : []),
    vapidFinding(config, store.wrapped !== null),
    judgeClock([...store.clock, ...service.clock]),
    judgeService(config.publicUrl, service.status),
  ];
};

const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  engines: { node: string };
};
const read = configOrFaults();
const findings = [
  judgeNode(process.versions.node, engines.node),
  ...(Array.isArray(read) ? read : await examine(read)),
];
process.stdout.write(`${report(findings)}\n`);
process.exitCode = exitCode(findings);
