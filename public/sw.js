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

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
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
