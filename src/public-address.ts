import { type LookupAddress, lookup as lookupHost } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Address blocks that are not the public internet (IANA special-purpose registries, RFC 6890). */
const special = new BlockList();
for (const block of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]) {
  const [net = '', bits] = block.split('/');
  special.addSubnet(net, Number(bits), 'ipv4');
}
/** Only 2000::/3 is global unicast; inside it, Teredo, documentation and 6to4 lead elsewhere. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');
const specialV6 = new BlockList();
specialV6.addSubnet('2001::', 23, 'ipv6');
specialV6.addSubnet('2001:db8::', 32, 'ipv6');
specialV6.addSubnet('2002::', 16, 'ipv6');

/** Whether an IP address lies on the public internet: not private, loopback, link-local, multicast or otherwise special. */
export const isPublicAddress = (address: string): boolean => {
  const family = isIP(address);
  if (family === 4) return !special.check(address, 'ipv4');
  return family === 6 && globalUnicast.check(address, 'ipv6') && !specialV6.check(address, 'ipv6');
};

/** The host resolves to an address that we do not call. */
export class PrivateAddressError extends Error {
  readonly code = 'EPRIVATE';
  constructor(host: string) {
    super(`${host} is not on the public internet`);
    this.name = 'PrivateAddressError';
  }
}

/**
 * A `lookup` for sockets that answers public addresses only: what was checked is what is connected to, so that a name
 * cannot change its address in between. Any private address among the answers refuses the host.
 */
export const publicLookup: LookupFunction = (host, options, callback) => {
  lookupHost(host, { ...options, all: true }, (error, found) => {
    const addresses = found as LookupAddress[];
    if (error) return callback(error, '', 0);
    const [first] = addresses;
    if (!first || !addresses.every(({ address }) => isPublicAddress(address)))
      return callback(new PrivateAddressError(host), '', 0);
    if (options.all) return callback(null, addresses);
    callback(null, first.address, first.family);
  });
};

/** Names of one's own machine (RFC 6761 section 6.3). */
const loopbackName = /(^|\.)localhost$/;

/** Whether a URL may be called at all, before any name is looked up: https, no credentials, no private IP or local name as host. */
export const isCallable = (url: URL): boolean => {
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (url.protocol !== 'https:' || url.username || url.password) return false;
  return isIP(host) === 0 ? host.includes('.') && !loopbackName.test(host) : isPublicAddress(host);
};

/** Whether a site is reached on this machine only: then it is somebody's own, and may show what no public one does (design D7). */
export const isLoopback = (siteUrl: string): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(siteUrl).hostname);
