import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError, type Faults } from '../src/config.ts';
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
type Read = { config: Config | null; faults: Faults };

/** The environment without what is wrong in it, so that the rest can be looked at all the same; null where nothing is left of it. */
const readAll = (env: Record<string, string | undefined>): Read => {
  try {
    return { config: readEnvironment(env), faults: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // what is missing beside others is wrong together with them
    const said = error.faults.map(({ name, message }) => `${name} ${message}`).join(' ');
    const wrong = [...new Set(said.match(/\b[A-Z][A-Z_]+\b/g))];
    const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !wrong.includes(name)));
    const isLess = Object.keys(rest).length < Object.keys(env).length;
    const { config, faults } = isLess ? readAll(rest) : { config: null, faults: [] };
    return { config, faults: [...error.faults, ...faults] };
  }
};

const vapidFinding = ({ webPush }: Config, isSealed: boolean): Finding => {
  const kept = isSealed ? 'store' : 'none';
  const source = webPush.outbox ? 'outbox' : webPush.vapid ? 'environment' : kept;
  return judgeVapid({ source, subject: webPush.subject });
};

/** `wrong`: the settings that could not be read, and stand at their defaults here: what hangs on them is left out. */
const examine = async (config: Config, wrong: string[]): Promise<Finding[]> => {
  const isRight = (...names: string[]): boolean => !names.some((name) => wrong.includes(name));
  const [store, smtp, dkim, service] = await Promise.all([
    storeFacts(config),
    smtpFacts(config),
    dkimFact(config),
    serviceFact(config),
  ]);
  const isStore = isRight('DATABASE_URL', 'DATA_DIR');
  const opened = store.fact.is.kind === 'fault' ? 'unread' : opens(keptSecret(config), store.wrapped);
  return [
    ...(wrong.length === 0 ? judgeConfig(config) : []),
    ...(isStore ? [store.fact.engine === 'sqlite' ? judgeSqlite(store.fact.is) : judgeMongo(store.fact.is)] : []),
    ...(isStore && isRight('SECRET') ? [judgeSecret(opened)] : []),
    ...(isRight('DATA_DIR') ? judgeDisk(diskFact(config, store.bytes)) : []),
    ...smtp.map(judgeSmtp),
    ...(dkim ? [judgeDkim(dkim)] : []),
    ...(wrong.length === 0 ? [vapidFinding(config, store.wrapped !== null)] : []),
    judgeClock([...store.clock, ...service.clock]),
    ...(isRight('PUBLIC_URL', 'PORT') ? [judgeService(service)] : []),
  ];
};

const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  engines: { node: string };
};
const { config, faults } = readAll(process.env);
const findings = [
  judgeNode(process.versions.node, engines.node),
  ...judgeFaults(faults),
  ...(config
    ? await examine(
        config,
        faults.map(({ name }) => name),
      )
    : []),
];
process.stdout.write(`${report(findings)}\n`);
process.exitCode = exitCode(findings);
