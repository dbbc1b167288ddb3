// The follow form with notifications on this device: permission is asked only after the button was pressed.

const form = document.querySelector('form[data-vapid]');
const choice = form?.querySelector('input[data-push]');
const able = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

// Where the browser cannot do it, it is not offered.
if (choice && !able) choice.closest('.govuk-radios__item').hidden = true;

const keyBytes = (text) => {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
};

const subscribe = async () => {
  const registration = await navigator.serviceWorker.register('/sw.js');
  await navigator.serviceWorker.ready;
  const applicationServerKey = keyBytes(form.dataset.vapid);
  const known = await registration.pushManager.getSubscription();
  return known ?? registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
};

const request = (subscription) => {
  const { endpoint, keys } = subscription.toJSON();
  const entered = new FormData(form);
  const region = entered.get('region');
  const follow = {
    ...JSON.parse(form.dataset.follow),
    pace: entered.get('pace') ?? 'immediate',
    channels: ['webPush', 'email', 'sms'],
    ...(region ? { regions: [region] } : {}),
  };
  return { webPush: { endpoint, keys }, follow: [follow], locale: form.dataset.locale };
};

const fail = (reason) => {
  const summary = document.getElementById('push-fault');
  const text = summary.querySelector('p');
  text.textContent = text.dataset[reason];
  summary.hidden = false;
  summary.tabIndex = -1;
  summary.focus();
};

const followHere = async () => {
  if ((await Notification.requestPermission()) !== 'granted') return fail('denied');
  const answer = await fetch('/api/v1/subscriptions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(request(await subscribe())),
  });
  if (!answer.ok) return fail('failed');
  location.assign('/check?by=webPush');
};

if (choice && able) {
  form.addEventListener('submit', (event) => {
    if (!choice.checked) return;
    event.preventDefault();
    followHere().catch(() => fail('failed'));
  });
}
