import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import nunjucks from 'nunjucks';
import { projectRoot } from '../project-root.ts';

export type Views = {
  /** Renders templates/pages/<name>.njk; whatever is not marked safe is escaped. */
  render(name: string, context: Record<string, unknown>): string;
  /** The address of a built asset, which changes with its content. */
  asset(name: string): string;
};

const assetVersion = (): string => {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'public', 'assets', 'current.json'), 'utf8'));
  return String(version);
};

let made: Views | undefined;

/** Nunjucks over templates/pages and the GOV.UK Frontend macros, compiled once for the process. Throws when the assets were not built. */
export const makeViews = (): Views => {
  made ??= overTemplates();
  return made;
};

const overTemplates = (): Views => {
  const version = assetVersion();
  const folders = [
    join(projectRoot, 'templates', 'pages'),
    join(projectRoot, 'node_modules', 'govuk-frontend', 'dist'),
  ];
  const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(folders), {
    autoescape: true,
    trimBlocks: true,
    lstripBlocks: true,
  });
  const asset = (name: string): string => `/assets/${version}/${name}`;
  environment.addGlobal('asset', asset);
  return {
    render: (name, context) => environment.render(`${name}.njk`, context),
    asset,
  };
};

/** Marks markup as safe for a template; only for what is escaped or made here. */
export const safeMarkup = (html: string): nunjucks.runtime.SafeString => new nunjucks.runtime.SafeString(html);
