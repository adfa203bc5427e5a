export { clientAddress, type IsTrustedProxy, trustProxies } from './client-address.ts';
export { errorResponse, limitArrival, limitBody } from './edges.ts';
export { type ServeOptions, serveHttp } from './serve-http.ts';
