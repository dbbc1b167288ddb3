import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { roles } from '../src/access/access-store.ts';
import { normalEmail, type StaffService } from '../src/access/staff-service.ts';
import { AppError } from '../src/errors.ts';
import { type Services, systemActor } from '../src/services.ts';
import { commandConfig, openCommand } from './command.ts';

const usage = `Staff accounts, in the store that the environment names (DATA_DIR, DATABASE_URL, SECRET, PUBLIC_URL).

  npm run staff -- add <email> --name <name> --roles <${roles.join(',')}> [--departments <a,b>]
  npm run staff -- link <email>        a new link to set the password; it works once, for 72 hours
  npm run staff -- sign-out <email>    ends every session and open link of the account
  npm run staff -- lost-app <email>    takes the one-time codes away from somebody who lost app and recovery codes

add and link print the link. With --password-stdin they read the password from standard input instead.
`;

const names = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);

const accountSchema = z.strictObject({
  email: z
    .string()
    .max(320)
    .transform(normalEmail)
    .pipe(z.email({ pattern: z.regexes.unicodeEmail })),
  name: z.string({ error: 'must be given' }).trim().min(1).max(200),
  roles: z.array(z.enum(roles)).min(1, `must be one or more of ${roles.join(', ')}`),
  departments: z.array(z.string().max(200)),
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const stopWith = (message: string): never => {
  process.stderr.write(message);
  process.exit(2);
};

const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        roles: { type: 'string' },
        departments: { type: 'string' },
        'password-stdin': { type: 'boolean' },
      },
    });
  } catch (error) {
    return stopWith(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
};

const { values, positionals } = readArguments();

/** The password's first line of standard input, or a link for whoever shall choose it. */
const giveWay = async (staff: StaffService, id: string): Promise<void> => {
  const link = await staff.setUpLink(id);
  if (!values['password-stdin']) return say(link);
  const [password = ''] = (await text(process.stdin)).split(/\r?\n/);
  await staff.setUp(link.split('/').at(-1) ?? '', password);
  say('The password is set.');
};

const commands: Record<string, (services: Services, email: string) => Promise<void>> = {
  add: async ({ access, staff }, email) => {
    const wanted = { email, name: values.name, roles: names(values.roles), departments: names(values.departments) };
    const parsed = accountSchema.safeParse(wanted);
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
      throw new AppError('invalid', 'The account does not fit.', { faults });
    }
    const { id } = await access.addStaff(parsed.data);
    await access.audit({ actor: systemActor.staff, action: 'addStaff', subject: id });
    await giveWay(staff, id);
  },
  link: async ({ staff }, email) => giveWay(staff, (await staff.byEmail(email)).id),
  'sign-out': async ({ staff }, email) => {
    await staff.signOutEverywhere((await staff.byEmail(email)).id);
    say('Every session is ended.');
  },
  'lost-app': async ({ staff }, email) => {
    await staff.removeSecondStep((await staff.byEmail(email)).id);
    say('The password is enough until new codes are set up.');
  },
};

const [name = '', email = ''] = positionals;
const named = Object.hasOwn(commands, name) ? commands[name] : undefined;
const command = (positionals.length === 2 && named) || stopWith(usage);

const config = commandConfig();
const { services, close } = await openCommand(config, { makes: true });
try {
  await command(services, email);
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  const faults = error.faults.map(({ path, message }) => `  ${path}: ${message}\n`);
  process.stderr.write(`${error.message}\n${faults.join('')}`);
  process.exitCode = 1;
} finally {
  await close();
}
