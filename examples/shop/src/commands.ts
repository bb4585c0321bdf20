/** A command that a newcomer can type as it stands while the shop runs. */
export interface CommandToTry {
  readonly title: string
  readonly command: string
  /** What to look at in the answer. */
  readonly expect: string
}

/** Three commands for `npm start` to print. `gatewayUrl` is without a slash at its end; `configFile`: where the key for trials is named. */
export function commandsToTry(gatewayUrl: string, configFile: string): readonly CommandToTry[] {
  const token = `npx breakwater authz test-token --config ${configFile} --user usr_ada --tenant acme`
  return [
    {
      title: 'List the products (gateway → storefront → gateway → catalog)',
      command: `curl -s ${gatewayUrl}/shop/products`,
      expect: 'eight products',
    },
    {
      title: 'Buy two mugs as Ada (storefront → orders → payments → catalog, billing)',
      command: `curl -s ${gatewayUrl}/shop/checkout -H "authorization: Bearer $(${token})" -H 'x-tenant-id: acme' -H 'content-type: application/json' -H 'idempotency-key: my-first-order' -d '{"lines":[{"productId":"prd_mug","quantity":2}]}'`,
      expect: 'a paid order; the same command again gives the same order: it is paid once',
    },
    {
      title: 'Try to smuggle a request past the gateway (two framings of one body)',
      command: `curl -si ${gatewayUrl}/shop/products -X POST -H 'content-length: 4' -H 'transfer-encoding: chunked' -d 'evil'`,
      expect: '400 and a closed connection, refused by the gateway before any service sees it',
    },
  ]
}
