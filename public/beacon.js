// Tells the office what was looked at on its pages: <script type="module" src="/beacon.js"></script>
// A page of the office's own site says what it is about by <meta name="bellman-item" content="id">, or bellman-topic, and is
// counted as viewed once it has been seen. Links marked `download` or to documents count as downloads; inside an element
// with data-item they are that item's. Nothing is sent where the browser asks for privacy, and the service keeps nothing of
// people who have not consented.
const about = (name) => document.querySelector(`meta[name="bellman-${name}"]`)?.content;
const documents = /\.(pdf|docx?|xlsx?|pptx?|od[tsp]|csv|zip|wps|et|ofd)$/i;

const send = (event) => {
  if (navigator.globalPrivacyControl || navigator.doNotTrack === '1') return;
  if (event.item || event.topic) navigator.sendBeacon('/api/v1/beacon', JSON.stringify({ events: [event] }));
};

const viewed = () => {
  if (document.visibilityState !== 'visible') return;
  document.removeEventListener('visibilitychange', viewed);
  send({ type: 'view', item: about('item'), topic: about('topic') });
};

document.addEventListener('visibilitychange', viewed);
viewed();

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!link || !(link.hasAttribute('download') || documents.test(link.pathname))) return;
  const item = link.closest('[data-item]')?.dataset.item ?? about('item');
  send({ type: 'download', item, topic: item ? undefined : about('topic') });
});
