import { checkUpload } from './check-upload.ts';
import { indexUpload } from './index-upload.ts';

export { checkUpload, indexUpload };
