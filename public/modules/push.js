// Notifications on this device, for the pages that offer them.

export const able = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

// On iPhone and iPad a site is notified only once it lies on the Home Screen; an iPad says that it is a Mac with a touch screen.
const isApple =
  /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
export const needsHomeScreen = isApple && !able;

// Shows how to get there, where it is needed.
export const showHomeScreen = () => {
  const hint = document.getElementById('home-screen');
  if (hint) hint.hidden = !needsHomeScreen;
};

const keyBytes = (text) => {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
};

// Asks the person; only after they pressed something.
export const isAllowed = async () => (await Notification.requestPermission()) === 'granted';

// What the service worker needs to go on under another endpoint (sw.js).
const keep = async (subscribed) =>
  (await caches.open('push')).put('/kept-subscription', new Response(JSON.stringify(subscribed)));

// This browser's subscription as plain data, made if there is none: { endpoint, keys: { p256dh, auth } }.
export const subscription = async (vapid) => {
  const registration = await navigator.serviceWorker.register('/sw.js');
  await navigator.serviceWorker.ready;
  const known = await registration.pushManager.getSubscription();
  const applicationServerKey = keyBytes(vapid);
  const made = known ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
  const plain = made.toJSON();
  await keep({ ...plain, vapid });
  return plain;
};

// Shows why it did not work, in the words that the page holds.
export const sayWhy = (reason) => {
  const summary = document.getElementById('push-fault');
  const text = summary.querySelector('p');
  text.textContent = text.dataset[reason];
  summary.hidden = false;
  summary.tabIndex = -1;
  summary.focus();
};
