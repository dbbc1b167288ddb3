import { ConfigError, readConfig } from '../../src/config.ts';
import { startFault } from '../../src/start-fault.ts';

const faultsOf = (env: Record<string, string>): string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ name }) => name);
  }
};
const domain = { EMAIL_BOUNCES: 'bounces.example.org' };

describe('SECRET', () => {
  it('must be set on MongoDB, where every process needs the same one; on SQLite one is made', () => {
    const DATABASE_URL = 'mongodb://127.0.0.1/bellman';
    expect(faultsOf({ DATABASE_URL })).toEqual(['SECRET']);
    expect(faultsOf({ DATABASE_URL, SECRET: 'a secret for tests only' })).toEqual([]);
    expect(faultsOf({})).toEqual([]);
  });
});

describe('the settings of returned mail', () => {
  it.each([
    ['0.0.0.0:25', { host: '0.0.0.0', port: 25 }],
    ['localhost:2525', { host: 'localhost', port: 2525 }],
    ['[::1]:2525', { host: '::1', port: 2525 }],
  ])('listen on %s', (text, expected) => {
    expect(readConfig({ ...domain, BOUNCE_LISTEN: text }).bounceListen).toEqual(expected);
  });

  it.each(['25', ':25', 'host', 'host:', 'host:70000', '::1:25', 'a b:25'])('refuse %j', (text) => {
    expect(faultsOf({ ...domain, BOUNCE_LISTEN: text })).toEqual(['BOUNCE_LISTEN']);
  });

  it('listen only with a domain for return paths, which must be one', () => {
    expect(faultsOf({ BOUNCE_LISTEN: 'localhost:2525' })).toEqual(['EMAIL_BOUNCES']);
    for (const text of ['a b', 'bounces@example.org', '-x.org', 'x..org', 'x.org.'])
      expect(faultsOf({ EMAIL_BOUNCES: text })).toEqual(['EMAIL_BOUNCES']);
    expect(readConfig({}).bounceListen).toBeUndefined();
  });

  it('are named when the port is taken', () => {
    const config = readConfig({ ...domain, BOUNCE_LISTEN: 'localhost:2525' });
    const error = Object.assign(new Error('x'), { code: 'EADDRINUSE', syscall: 'listen', port: 2525 });
    expect(startFault(error, config)).toMatch(/BOUNCE_LISTEN/);
    expect(startFault(Object.assign(error, { port: 3000 }), config)).toMatch(/PORT/);
  });
});
