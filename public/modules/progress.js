// How a push goes, as it goes: the server sends the markup that the page would show after a reload.
const place = document.getElementById('progress');

if (place?.dataset.events) {
  const { state } = place.dataset;
  const source = new EventSource(place.dataset.events);
  const reload = document.getElementById('reload');
  source.addEventListener('open', () => {
    reload.hidden = true;
  });
  source.addEventListener('error', () => {
    reload.hidden = false;
  });
  source.addEventListener('progress', ({ data }) => {
    const news = JSON.parse(data);
    const made = new DOMParser().parseFromString(news.html, 'text/html');
    place.replaceChildren(...made.body.childNodes);
    if (news.over) source.close();
    // what can be done depends on the state, so that the buttons have to come anew
    const ways = { planning: 'running', running: 'running' };
    if ((ways[news.state] ?? news.state) !== (ways[state] ?? state)) location.reload();
  });
}
