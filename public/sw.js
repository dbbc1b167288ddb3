// The service worker: shows what is pushed, opens what is pressed, and reports what became of it where the message asks for it:
// shown, clicked, dismissed, or what a button says (useful, not-for-me).
// Payload: { title, body, url, tag, lang, unsubscribe, manage, report?, actions?: [{ action, title }], data?: { confirm? } }

const fallback = { title: 'Bellman', body: '', url: '/' };

const payloadOf = (event) => {
  try {
    return { ...fallback, ...event.data.json() };
  } catch {
    return { ...fallback, body: event.data ? event.data.text() : '' };
  }
};

// A report that fails is lost on purpose: showing the notice matters, counting it does not.
const report = (url, what) =>
  url
    ? fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ what }),
        keepalive: true,
      }).catch(() => undefined)
    : Promise.resolve();

// A confirmation names its link whole or by its token; anything else opens what it is about.
const targetOf = ({ url, data }) => {
  const confirm = data?.confirm;
  if (!confirm) return url;
  return /^https?:/.test(confirm) ? confirm : `/confirm/${encodeURIComponent(confirm)}`;
};

const show = async (message) => {
  const { title, body, tag, lang } = message;
  await self.registration.showNotification(title, {
    body,
    ...(tag ? { tag } : {}),
    ...(lang ? { lang } : {}),
    ...(message.actions ? { actions: message.actions } : {}),
    icon: '/icons/bell-192.png',
    badge: '/icons/badge-96.png',
    data: { url: targetOf(message), report: message.report ?? message.data?.report },
  });
  await report(message.report ?? message.data?.report, 'shown');
};

const openPage = async (url) => {
  const target = new URL(url, self.location.origin);
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = pages.find((page) => page.url === target.href);
  if (open) return open.focus();
  return self.clients.openWindow(target.href);
};

// Without a network a page of its own is shown, which is kept with its style sheet.
const keepOffline = async () => {
  const page = await fetch('/offline', { cache: 'no-store' });
  if (!page.ok) return;
  const [, style] = /href="(\/assets\/[^"]+\.css)"/.exec(await page.clone().text()) ?? [];
  const cache = await caches.open('offline');
  for (const old of await cache.keys()) await cache.delete(old);
  await cache.put('/offline', page);
  if (style) await cache.add(style);
};

const orOffline = (request) => fetch(request).catch(async () => (await caches.match('/offline')) ?? Response.error());
const orKept = (request) => fetch(request).catch(async () => (await caches.match(request)) ?? Response.error());

// The push service may give this browser another endpoint: it goes on under that, and proves by its old keys who it is.
const keptPath = '/kept-subscription';
const kept = async () => (await caches.match(keptPath))?.json();
const keyBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (character) => character.charCodeAt(0));

const goOnUnder = async (fresh) => {
  const before = await kept();
  const to = fresh?.toJSON();
  if (!before || !to || to.endpoint === before.endpoint) return;
  const named = ({ endpoint, keys }) => ({ endpoint, keys });
  const answer = await fetch('/push/renew', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ from: named(before), to: named(to) }),
  });
  if (!answer.ok) return;
  const cache = await caches.open('push');
  await cache.put(keptPath, new Response(JSON.stringify({ ...to, vapid: before.vapid })));
};

const subscribeAgain = async () => {
  const before = await kept();
  if (!before) return undefined;
  const applicationServerKey = keyBytes(before.vapid);
  return self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
};

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(keepOffline().catch(() => undefined));
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.mode === 'navigate') event.respondWith(orOffline(request));
  else if (origin === self.location.origin && pathname.endsWith('.css')) event.respondWith(orKept(request));
});
self.addEventListener('pushsubscriptionchange', (event) => {
  const renewed = Promise.resolve(event.newSubscription ?? subscribeAgain());
  event.waitUntil(renewed.then(goOnUnder));
});
// a page was opened: browsers do not always tell of the change
self.addEventListener('message', (event) => {
  event.waitUntil(
    self.registration.pushManager
      .getSubscription()
      .then(goOnUnder)
      .catch(() => undefined),
  );
});
self.addEventListener('push', (event) => event.waitUntil(show(payloadOf(event))));
self.addEventListener('notificationclick', (event) => {
  const { url, report: reportUrl } = event.notification.data ?? fallback;
  event.notification.close();
  // a button says something and opens nothing
  const done = event.action
    ? report(reportUrl, event.action)
    : Promise.all([openPage(url ?? '/'), report(reportUrl, 'clicked')]);
  event.waitUntil(done);
});
self.addEventListener('notificationclose', (event) => {
  event.waitUntil(report(event.notification.data?.report, 'dismissed'));
});
