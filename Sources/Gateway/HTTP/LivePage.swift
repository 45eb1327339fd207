import Foundation
import OrderBook

/// The page at `/`: a book, its trades and an order form, fed by the WebSocket. It loads nothing from elsewhere.
enum LivePage {
    /// What the page may do: run its own script and no other, and talk to this server. It stands in no frame.
    static let policy = [
        "default-src 'none'", "script-src 'sha256-\(hashOfScript)'", "style-src 'unsafe-inline'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    private static var hashOfScript: String {
        let script = html.split(separator: "<script>")[1].split(separator: "</script>")[0]
        return Data(SHA256.hash(script.utf8).bytes).base64EncodedString()
    }

    static let html = #"""
        <!doctype html>
        <html lang="en"><meta charset="utf-8"><title>pgbook</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <style>
        body{font:14px/1.4 system-ui,sans-serif;margin:1rem;background:#111;color:#ddd}
        main{display:flex;gap:2rem;flex-wrap:wrap}table{border-collapse:collapse}
        td,th{padding:.1rem .6rem;text-align:right;font-variant-numeric:tabular-nums}
        .bid{color:#4c4}.ask{color:#e66}input,select,button{background:#222;color:#ddd;border:1px solid #444;padding:.2rem}
        h2{font-size:1rem}#state{color:#888}#log div{white-space:nowrap}
        </style>
        <h1>pgbook <select id="security"></select> <small id="state">connecting…</small></h1>
        <p id="node" class="ask"></p>
        <form id="add"><select id="side"><option>bid<option>ask</select>
        <input id="amount" placeholder="amount" size="8"> @ <input id="price" placeholder="market" size="8">
        <button>place</button></form>
        <form id="auth" hidden><input id="token" type="password" placeholder="token" autocomplete="off"> <button>show</button></form>
        <main><section><h2>Book</h2><table id="book"></table></section>
        <section><h2>Trades</h2><table id="trades"></table></section>
        <section><h2>Your orders</h2><div id="log"></div></section></main>
        <script>
        const $ = id => document.getElementById(id), books = Object.create(null), trades = Object.create(null);
        let socket;
        function row(cells, kind) {
          const tr = document.createElement('tr'); tr.className = kind || '';
          for (const c of cells) { const td = document.createElement('td'); td.textContent = c; tr.append(td); }
          return tr;
        }
        function draw() {
          const s = $('security').value, b = books[s];
          $('book').replaceChildren(row(['price', 'amount', 'total']));
          if (b) {
            for (const l of b.ask.slice(0, 12).reverse()) $('book').append(row([l.price, l.amount, l.total], 'ask'));
            for (const l of b.bid.slice(0, 12)) $('book').append(row([l.price, l.amount, l.total], 'bid'));
          }
          $('trades').replaceChildren(...(trades[s] || []).slice(-25).reverse().map(t =>
            row([new Date(t.time).toLocaleTimeString(), t.price, t.amount], t.side)));
        }
        function log(text) {
          const div = document.createElement('div'); div.textContent = text; $('log').prepend(div);
          while ($('log').childElementCount > 25) $('log').lastChild.remove();
        }
        function know(s) {
          if (s in books) return;
          const o = document.createElement('option'); o.textContent = s; $('security').append(o);
        }
        function show(m) {
          if (m.type === 'welcome') { $('state').textContent = 'you are ' + m.userId; $('auth').hidden = true; }
          else if (m.type === 'aggOrderBook') { know(m.security); books[m.security] = m.aggOrderBook; draw(); }
          else if (m.type === 'trades') {
            for (const t of m.trades) {
              const list = trades[t.security] = trades[t.security] || [];
              if (!list.some(o => o.id === t.id)) list.push(t);
              if (list.length > 100) list.shift();
            }
            draw();
          }
          else if (m.type === 'order')
            log(`${m.status} ${m.security} filled ${m.filled}, open ${m.remaining} ${m.reason || ''}`);
          else if (m.type === 'error') {
            if (m.code === 'unauthorized') $('auth').hidden = false;
            if (m.field === 'token') $('token').value = '';
            log(`${m.code}: ${m.message}`);
          }
          else if (m.type === 'node') $('node').textContent = m.ready ? '' : 'not ready: ' + m.reason;
        }
        // Not in the address, which ends in logs, and nowhere that outlives the page.
        function authenticate() {
          if ($('token').value) socket.send(JSON.stringify({type: 'auth', token: $('token').value}));
        }
        $('auth').onsubmit = e => { e.preventDefault(); authenticate(); };
        function connect() {
          socket = new WebSocket((location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + '/ws');
          socket.onopen = authenticate;
          socket.onmessage = e => show(JSON.parse(e.data));
          socket.onclose = () => { $('state').textContent = 'connection lost, trying again…'; setTimeout(connect, 1000); };
        }
        $('security').onchange = draw;
        $('add').onsubmit = e => {
          e.preventDefault();
          const m = {type: 'add', security: $('security').value, side: $('side').value, amount: $('amount').value};
          if ($('price').value) m.price = $('price').value;
          socket.send(JSON.stringify(m));
        };
        connect();
        </script></html>
        """#
}
