import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const upTo = (folder: string): string => (existsSync(join(folder, 'package.json')) ? folder : upTo(dirname(folder)));

/** The project's root, from the sources as from dist/: templates, locales and assets lie beside both. */
export const projectRoot = upTo(dirname(fileURLToPath(import.meta.url)));
