import { describe, expect, test } from "vitest";
import type { ImageService } from "./image-service.ts";

/** A service without images, and the name of one that can be pulled. */
export interface ImagesUnderTest {
  readonly images: ImageService;
  readonly name: string;
}

/** What every image service has to do. */
export function describeImageContract(name: string, make: () => Promise<ImagesUnderTest>): void {
  describe(`image service: ${name}`, () => {
    test("an image is there from when it is pulled until it is removed", async () => {
      const { images, name: image } = await make();
      expect(await images.imageStatus({ image })).toBeUndefined();
      const ref = await images.pullImage({ image });
      const status = await images.imageStatus({ image });
      expect(status).toMatchObject({ id: expect.stringMatching(/^sha256:/), repoTags: [image], sizeBytes: expect.any(Number) });
      expect(await images.imageStatus({ image: ref })).toEqual(status);
      expect(await images.imageStatus({ image: status?.id ?? "" })).toEqual(status);
      expect(await images.listImages()).toContainEqual(status);
      expect(await images.pullImage({ image })).toBe(ref);
      await images.removeImage({ image });
      expect(await images.imageStatus({ image })).toBeUndefined();
      await images.removeImage({ image });
    });

    test("it tells where images are kept", async () => {
      const { images } = await make();
      const { image } = await images.imageFsInfo();
      expect(image).toMatchObject([{ mountpoint: expect.stringMatching(/^\//), usedBytes: expect.any(Number) }]);
    });
  });
}
