import { channelFaults } from './channels/make-channels.ts';
import { type Config, readConfig } from './config.ts';

/** The configuration, looked at as closely as the parts will that are made of it. Throws one `ConfigError` with every fault. */
export const readEnvironment = (env: Record<string, string | undefined>): Config => readConfig(env, channelFaults);
