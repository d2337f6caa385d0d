// A short message centre for tests: the npm package `smpp` speaks, this script says what about.
//
// It is told what to do by lines of JSON on its standard input, {"do": ..., "n": ...}, and answers
// each with {"event": "done", "n": ...}. All else that it writes is what happened:
// {"event": "bind" | "unbind" | "submit" | "text" | "delivered" | "enquired" | "alive" | "closed"
// | "problem", ...}. tests/sms/sms_center.py is the other side.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

const rules = {
  // Passwords by system id.
  accounts: { waypost: 'secret' },
  // Status that every log-in gets; null: as the accounts say. 'silent': no answer.
  bind: null,
  // How ids are written in answers: text, decimal, hexadecimal, none.
  ids: 'text',
  // Milliseconds before a submission is answered.
  delay: 0,
  // Submissions a second; more are throttled. 0: no limit.
  rate: 0,
  // Receipts on everything that is accepted, null: none. {stat, err, ids, form, delay}: form is
  // both, text (the body alone) or parameters; delay null: before the answer.
  receipts: null,
  // Answers to the next submissions, used up one by one: {status}, {silent}, {drop}, {raw: hex},
  // {delay}, {id}, {receipt}.
  answers: [],
  // Does it answer when asked whether it is there?
  alive: true,
};

let sessions = [];
let server = null;
let counter = 1000;
let served = [];
let outstanding = 0;
const piles = new Map();

function tell(event, fields) {
  process.stdout.write(JSON.stringify({ event, ...fields }) + '\n');
}

function written(number, form) {
  if (form === 'none') return '';
  if (form === 'decimal') return String(number);
  if (form === 'hexadecimal') return number.toString(16).toUpperCase().padStart(8, '0');
  return 'm-' + number;
}

function receipt(session, pdu, number, how) {
  const states = { DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8, ENROUTE: 1 };
  const id = how.id || written(number, how.ids || 'text');
  const stat = how.stat || 'DELIVRD';
  const form = how.form || 'both';
  const fields = {
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: 4,
    data_coding: 0,
  };
  if (form !== 'parameters') {
    const good = stat === 'DELIVRD' ? '001' : '000';
    fields.short_message =
      `id:${id} sub:001 dlvrd:${good} submit date:2411220900 done date:2411220901 ` +
      `stat:${stat} err:${how.err || '000'} text:hello`;
  }
  if (form !== 'text') {
    fields.receipted_message_id = id;
    fields.message_state = states[stat];
  }
  session.deliver_sm(fields, (answer) => {
    tell('delivered', { tag: how.tag || 'receipt', id, status: answer.command_status });
  });
}

// The whole text, once all its parts are there.
function collect(pdu, text, message) {
  let part = null;
  for (const element of (message && message.udh) || []) {
    if (element[0] === 0x00) part = { reference: element[2], of: element[3], number: element[4] };
  }
  if (pdu.sar_total_segments) {
    part = { reference: pdu.sar_msg_ref_num, of: pdu.sar_total_segments, number: pdu.sar_segment_seqnum };
  }
  const whole = { to: pdu.destination_addr, from: pdu.source_addr };
  if (part === null) {
    tell('text', { ...whole, text, parts: 1 });
    return;
  }
  const key = [pdu.source_addr, pdu.destination_addr, part.reference, part.of].join('/');
  const pile = piles.get(key) || new Map();
  piles.set(key, pile.set(part.number, text));
  if (pile.size === part.of) {
    piles.delete(key);
    const numbers = [...pile.keys()].sort((one, other) => one - other);
    tell('text', { ...whole, text: numbers.map((number) => pile.get(number)).join(''), parts: part.of });
  }
}

function submitted(session, pdu) {
  const message = pdu.message_payload || pdu.short_message || {};
  const text = typeof message.message === 'string' ? message.message : '';
  const number = ++counter;
  let answer = rules.answers.shift() || {};
  const now = Date.now();
  served = served.filter((at) => at > now - 1000);
  if (rules.rate && served.length >= rules.rate && !('status' in answer)) {
    answer = { ...answer, status: smpp.ESME_RTHROTTLED };
  } else {
    served.push(now);
  }
  outstanding += 1;
  const accepted = !answer.status && !answer.silent && !answer.drop && !answer.raw;
  const id = 'id' in answer ? answer.id : written(number, rules.ids);
  tell('submit', {
    session: session.number,
    at: now,
    to: pdu.destination_addr,
    from: pdu.source_addr,
    text,
    udh: ((message && message.udh) || []).map((element) => element.toString('hex')),
    sar: pdu.sar_total_segments
      ? [pdu.sar_msg_ref_num, pdu.sar_segment_seqnum, pdu.sar_total_segments]
      : null,
    payload: Boolean(pdu.message_payload),
    data_coding: pdu.data_coding,
    esm_class: pdu.esm_class,
    registered_delivery: pdu.registered_delivery,
    service_type: pdu.service_type,
    source: [pdu.source_addr_ton, pdu.source_addr_npi],
    destination: [pdu.dest_addr_ton, pdu.dest_addr_npi],
    valid_until: pdu.validity_period instanceof Date ? pdu.validity_period.getTime() : null,
    status: answer.status || 0,
    accepted,
    number,
    id,
    outstanding,
  });
  if (accepted) collect(pdu, text, message);
  const how = answer.receipt || rules.receipts;
  if (accepted && how && how.delay === null) receipt(session, pdu, number, { ...how, id: how.id });
  const reply = () => {
    outstanding -= 1;
    if (answer.silent) return;
    if (answer.drop) return session.socket.destroy();
    if (answer.raw) return session.socket.write(Buffer.from(answer.raw, 'hex'));
    const fields = answer.status ? { command_status: answer.status } : { message_id: id };
    session.send(pdu.response(fields));
    if (accepted && how && how.delay !== null) {
      setTimeout(() => receipt(session, pdu, number, how), how.delay || 0);
    }
  };
  const delay = 'delay' in answer ? answer.delay : rules.delay;
  if (delay) setTimeout(reply, delay);
  else reply();
}

let bound = 0;

function opened(session) {
  session.on('error', (error) => tell('problem', { error: String(error) }));
  session.on('close', () => {
    sessions = sessions.filter((other) => other !== session);
    tell('closed', { session: session.number || 0 });
  });
  for (const kind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(kind, (pdu) => {
      let status = rules.bind;
      if (status === null) {
        if (!(pdu.system_id in rules.accounts)) status = smpp.ESME_RINVSYSID;
        else if (rules.accounts[pdu.system_id] !== pdu.password) status = smpp.ESME_RINVPASWD;
        else status = smpp.ESME_ROK;
      }
      tell('bind', {
        kind,
        system_id: pdu.system_id,
        system_type: pdu.system_type,
        version: pdu.interface_version,
        status,
      });
      if (status === 'silent') return;
      if (status !== 0) {
        session.send(pdu.response({ command_status: status }));
        session.close();
        return;
      }
      session.number = ++bound;
      sessions.push(session);
      session.send(pdu.response({ system_id: 'SMSC' }));
    });
  }
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => {
    tell('enquired', { session: session.number });
    if (rules.alive) session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    tell('unbind', { session: session.number });
    session.send(pdu.response());
    session.close();
  });
}

// With `options` key and cert (PEM) over TLS.
function listen(port, options, done) {
  server = smpp.createServer(options, opened);
  server.listen(port, '127.0.0.1', () => done({ port: server.address().port }));
  server.on('error', (error) => done({ error: String(error) }));
}

// A message to us: whole, or in parts of `size` characters ('udh' or 'sar'), or as a payload.
function deliver(order) {
  const session = sessions[sessions.length - 1];
  const fields = { source_addr: order.from, destination_addr: order.to || '100', ...(order.fields || {}) };
  if (!('data_coding' in fields)) fields.data_coding = 8;
  const reply = (number) => (answer) =>
    tell('delivered', { tag: order.tag, number, status: answer.command_status });
  if ('hex' in order) {
    session.deliver_sm({ ...fields, short_message: Buffer.from(order.hex, 'hex') }, reply(1));
    return;
  }
  if (order.how === 'payload') {
    session.deliver_sm({ ...fields, message_payload: order.text }, reply(1));
    return;
  }
  if (!order.how) {
    session.deliver_sm({ ...fields, short_message: order.text }, reply(1));
    return;
  }
  const pieces = [];
  for (let at = 0; at < order.text.length; at += order.size) pieces.push(order.text.slice(at, at + order.size));
  const numbers = order.order || pieces.map((_, index) => index + 1);
  for (const number of numbers) {
    const message = pieces[number - 1];
    const reference = order.reference || 7;
    if (order.how === 'sar') {
      session.deliver_sm(
        {
          ...fields,
          short_message: message,
          sar_msg_ref_num: reference,
          sar_total_segments: pieces.length,
          sar_segment_seqnum: number,
        },
        reply(number),
      );
    } else {
      const udh =
        order.how === 'udh16'
          ? Buffer.from([6, 8, 4, reference >> 8, reference & 255, pieces.length, number])
          : Buffer.from([5, 0, 3, reference & 255, pieces.length, number]);
      session.deliver_sm({ ...fields, short_message: { udh, message } }, reply(number));
    }
  }
}

const orders = {
  listen: (order, done) => listen(order.port || 0, order.tls || {}, done),
  set: (order, done) => {
    Object.assign(rules, order.rules);
    done({});
  },
  drop: (order, done) => {
    for (const session of sessions) session.socket.destroy();
    done({});
  },
  // Nobody can connect until `listen` comes.
  away: (order, done) => {
    if (server === null) return done({});
    server.close(() => done({}));
    for (const session of [...server.sessions]) session.socket.destroy();
    server = null;
  },
  unbind: (order, done) => {
    for (const session of sessions) session.unbind((answer) => tell('alive', { tag: 'unbind', status: answer.command_status }));
    done({});
  },
  enquire: (order, done) => {
    for (const session of sessions) session.enquire_link((answer) => tell('alive', { tag: order.tag, status: answer.command_status }));
    done({});
  },
  raw: (order, done) => {
    for (const session of sessions) session.socket.write(Buffer.from(order.hex, 'hex'));
    done({});
  },
  receipt: (order, done) => {
    const pdu = { destination_addr: order.from || '', source_addr: order.to || '' };
    receipt(sessions[sessions.length - 1], pdu, order.number || 0, order);
    done({});
  },
  deliver: (order, done) => {
    deliver(order);
    done({});
  },
};

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const order = JSON.parse(line);
  const done = (fields) => tell('done', { n: order.n, ...fields });
  try {
    orders[order.do](order, done);
  } catch (error) {
    done({ error: String(error.stack || error) });
  }
});
// Whoever started it is gone.
lines.on('close', () => process.exit(0));
