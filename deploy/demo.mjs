// Runs the house of deploy/demo: six virtual wristbands, the hub, people and their
// bands, set up over the same HTTP interface that the tablets use.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = resolve(import.meta.dirname, '..')
const BIN = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug')
const RECORDINGS = process.env.TIDEWATCH_RECORDINGS ?? join(ROOT, '../shared/data/recordings/stress-predict')
const PASSWORD = 'demo-tidewatch'

const ACCOUNTS = [
  { name: 'Sam', role: 'carer' },
  { name: 'Priya', role: 'carer' },
  { name: 'Robin', role: 'support' },
]

// Two bands play recordings of induced stress from shortly before an episode, with what
// came before already in their flash; the other four are simulated people. Where there are
// no recordings, two simulated people play from shortly before their own arousal rises.
const WEARERS = [
  {
    name: 'Ali',
    strategies: ['Offer the ear defenders', 'Walk to the garden together', 'Few words, low voice'],
    recording: { file: 'S10.zip', start: '21min 30s' },
    person: { seed: 48, worn: '131min 30s' },
  },
  {
    name: 'Beth',
    strategies: ['Dim the lights', 'Weighted blanket', 'Give her ten minutes alone, stay in sight'],
    recording: { file: 'S28.zip', start: '22min' },
    person: { seed: 49, worn: '73min 30s' },
  },
  { name: 'Callum', strategies: ['Count to ten together', 'Offer a drink of water'], person: { seed: 7, worn: '1h' } },
  { name: 'Dina', strategies: ['Put on her music', 'Ask before touching'], person: { seed: 4, worn: '1h' } },
  { name: 'Ewan', strategies: ['Show the picture timetable', 'Move visitors on'], person: { seed: 5, worn: '1h' } },
  { name: 'Farah', strategies: ['Trampoline or a walk', 'Praise what went well'], person: { seed: 6, worn: '1h' } },
]

const children = []
let stopping = false
let removeAtEnd

main().catch(async (error) => {
  if (!stopping) console.error(`demo: ${error.message}`)
  await stop(stopping ? 0 : 1)
})

async function main() {
  process.on('SIGINT', () => stop(0))
  process.on('SIGTERM', () => stop(0))

  const data = process.env.TIDEWATCH_DEMO_DATA ?? (await mkdtemp(join(tmpdir(), 'tidewatch-demo-')))
  if (!process.env.TIDEWATCH_DEMO_DATA) removeAtEnd = data
  await mkdir(data, { recursive: true })

  const bands = await startBands(data)
  const address = await startHub(data, bands.bus)
  await settleIn(address, bands.bands)
  report(address, data)
}

async function startBands(data) {
  const scenario = join(data, 'bands.toml')
  await writeFile(scenario, scenarioText())
  const sim = start('firmware-sim', ['run', scenario], { stdio: ['pipe', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: sim.stdout })) {
    const event = JSON.parse(line)
    if (event.event === 'ready') {
      sim.stdout.resume()
      return event
    }
  }
  throw new Error('the virtual wristbands did not come up')
}

function scenarioText() {
  const bands = WEARERS.map((wearer, index) => {
    const file = wearer.recording && join(RECORDINGS, wearer.recording.file)
    const plays = file && existsSync(file)
    const body = plays
      ? `{ recording = ${JSON.stringify(file)}, start = "${wearer.recording.start}" }`
      : `{ person = ${wearer.person.seed} }`
    const worn = plays ? wearer.recording.start : wearer.person.worn
    return `[[band]]
address = "C0:FF:EE:00:00:0${index + 1}"
name = "TW-000${index + 1}"
body = ${body}
worn_before = "${worn}"
clock_drift_ppm = ${(index - 2) * 15}.0
`
  })
  return `seed = 1\n\n${bands.join('\n')}`
}

async function startHub(data, bus) {
  const port = Number(process.env.TIDEWATCH_DEMO_PORT ?? 8080) || (await freePort())
  const telemetry = await freePort()
  const config = join(data, 'tidewatch.toml')
  await writeFile(
    config,
    `site = "demo-house"
data_dir = ${JSON.stringify(data)}

[broker]
listen = "127.0.0.1:0"

[console]
listen = "127.0.0.1:${port}"

[telemetry]
listen = "127.0.0.1:${telemetry}"
log = "warn"
`,
  )
  start('tidewatch', ['hub', '--config', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: bus },
  })
  const address = `http://127.0.0.1:${port}`
  await until(async () => (await fetch(`${address}/healthz`)).ok, 30_000, 'the hub did not come up')
  return address
}

/** Accounts, people and who wears which band. */
async function settleIn(address, bands) {
  const setup = await (await fetch(`${address}/api/setup`)).json()
  if (setup.needed) await call(address, 'POST', '/api/setup', { name: 'Alex', password: PASSWORD })
  const cookie = await signIn(address)
  if (!setup.needed) return
  for (const account of ACCOUNTS) {
    await call(address, 'POST', '/api/users', { ...account, password: PASSWORD }, cookie)
  }
  for (const [index, { name, strategies }] of WEARERS.entries()) {
    const person = await call(address, 'POST', '/api/people', { name, strategies }, cookie)
    const { device } = bands[index]
    // They have worn the bands for a while: what is in the flash is theirs.
    const from = Date.now() - 2 * 3600_000
    await call(address, 'POST', '/api/assignments', { device, person: person.id, from }, cookie)
  }
}

async function signIn(address) {
  const response = await request(address, 'POST', '/api/session', { name: 'Alex', password: PASSWORD })
  return response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ')
}

async function call(address, method, path, body, cookie) {
  const text = await (await request(address, method, path, body, cookie)).text()
  return text === '' ? undefined : JSON.parse(text)
}

async function request(address, method, path, body, cookie) {
  const headers = { 'content-type': 'application/json', 'x-tidewatch': '1' }
  if (cookie) headers.cookie = cookie
  const response = await fetch(address + path, { method, headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response
}

function report(address, data) {
  const playing = existsSync(join(RECORDINGS, WEARERS[0].recording.file))
  console.log(`
Tidewatch is up: ${address}

  Sign in as   Sam or Priya (carers), Robin (support worker), Alex (administrator)
  Password     ${PASSWORD}   (this demo alone has one that is written down)

  Six virtual wristbands, ${playing ? 'two of them playing real recordings' : 'all of them simulated people'}.
  Within five minutes somebody's arousal rises and the board rings: press
  "Start shift" first, so that the tablet may make a sound.

  Data         ${data}${removeAtEnd ? ' (goes when the demo stops)' : ''}
  Stop         Ctrl-C
`)
}

function start(program, args, options) {
  // In a group of its own: Ctrl-C reaches this script alone, which stops the hub before its radio.
  const child = spawn(join(BIN, program), args, { ...options, detached: true })
  children.push(child)
  child.on('exit', (code, signal) => {
    if (stopping) return
    console.error(`demo: ${program} ended (${signal ?? `exit code ${code}`})`)
    stop(1)
  })
  return child
}

/** Ends what was started, newest first, and waits for it. */
async function stop(code) {
  if (stopping) return
  stopping = true
  for (const child of children.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(killer)
  }
  if (removeAtEnd) await rm(removeAtEnd, { recursive: true, force: true })
  process.exit(code)
}

async function until(condition, limitMs, failure) {
  const deadline = Date.now() + limitMs
  while (Date.now() < deadline) {
    if (stopping) return
    if (await condition().catch(() => false)) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(failure)
}

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}
