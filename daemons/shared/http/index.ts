export { clientAddress, errorResponse, limitArrival, limitBody } from './edges.ts';
export { type ServeOptions, serveHttp } from './serve-http.ts';
