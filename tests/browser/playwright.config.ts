import { defineConfig } from '@playwright/test'
import { chromium } from './chromium.mjs'

export default defineConfig({
  testDir: '.',
  outputDir: '../../target/browser/results',
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 9 * 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    launchOptions: chromium,
  },
})
