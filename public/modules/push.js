// Notifications on this device, for the pages that offer them.

export const able = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

const keyBytes = (text) => {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
};

// Asks the person; only after they pressed something.
export const isAllowed = async () => (await Notification.requestPermission()) === 'granted';

// This browser's subscription as plain data, made if there is none: { endpoint, keys: { p256dh, auth } }.
export const subscription = async (vapid) => {
  const registration = await navigator.serviceWorker.register('/sw.js');
  await navigator.serviceWorker.ready;
  const known = await registration.pushManager.getSubscription();
  const applicationServerKey = keyBytes(vapid);
  const made = known ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
  return made.toJSON();
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
