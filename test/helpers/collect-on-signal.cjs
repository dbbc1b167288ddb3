// Loaded into a process before all else (`--require`): a SIGUSR2 collects all garbage, so that what its heap holds is what is kept.
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => collect());
