//! Images over HTTP: what is kept of them, what is refused, and that a storm of hostile ones leaves nothing behind.

use std::fs;
use std::io::{Cursor, Write as _};
use std::net::TcpStream;

use flate2::Compression;
use flate2::Crc;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

use crate::support::{
    Answer, Server, agent, form, form_type, photos, until, upload_image as upload,
};

fn photo(name: &str) -> Vec<u8> {
    fs::read(photos().join(name)).unwrap()
}

fn send(server: &Server, body: &[u8]) -> Answer {
    let request = agent().post(server.url("/api/v1/images"));
    Answer::of(request.header("content-type", form_type()).send(body))
}

/// What lies in the folder of images.
fn files(server: &Server) -> Vec<String> {
    let entries = fs::read_dir(server.data_dir().join("images")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn listed(server: &Server) -> Vec<Value> {
    let images = server.get("/api/v1/images").json()["images"].clone();
    images.as_array().unwrap().clone()
}

/// The picture that is served of an uploaded one.
fn served(server: &Server, kept: &Value) -> image::RgbImage {
    let (status, headers, png) = server.get_bytes(kept["url"].as_str().unwrap());
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &"image/png".parse().unwrap())
    );
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let picture = image::ImageReader::with_format(Cursor::new(png), image::ImageFormat::Png)
        .decode()
        .unwrap();
    assert_eq!(picture.color(), image::ColorType::Rgb8);
    let picture = picture.into_rgb8();
    assert_eq!(
        (&kept["width"], &kept["height"]),
        (&json!(picture.width()), &json!(picture.height()))
    );
    picture
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(name);
    crc.update(data);
    let length = (data.len() as u32).to_be_bytes();
    [&length, &name[..], data, &crc.sum().to_be_bytes()].concat()
}

fn deflated(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let mut block = Vec::with_capacity(1 << 16);
    for byte in bytes {
        block.push(byte);
        if block.len() == block.capacity() {
            encoder.write_all(&block).unwrap();
            block.clear();
        }
    }
    encoder.write_all(&block).unwrap();
    encoder.finish().unwrap()
}

/// A PNG whose head says one thing, with whatever follows.
fn png(width: u32, height: u32, depth: u8, kind: u8, chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    head.extend([depth, kind, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(b"IHDR", &head));
    png.extend(chunks.concat());
    png.extend(chunk(b"IEND", &[]));
    png
}

/// A JPEG with another size in its frame's head.
fn jpeg_of_size(width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = photo("rgb.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

/// A lossless WebP with another size in its head: 14 bits a side, less one.
fn webp_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut webp = photo("lossless.webp");
    assert_eq!((&webp[12..16], webp[20]), (&b"VP8L"[..], 0x2f));
    let bits = (width - 1) | (height - 1) << 14;
    webp[21..25].copy_from_slice(&bits.to_le_bytes());
    webp
}

/// An extended WebP whose canvas has 24 bits a side.
fn webp_of_canvas(side: u32) -> Vec<u8> {
    let mut head = vec![0; 4];
    for _ in 0..2 {
        head.extend_from_slice(&(side - 1).to_le_bytes()[..3]);
    }
    let inner = photo("lossless.webp");
    let mut body = b"WEBPVP8X".to_vec();
    body.extend(10u32.to_le_bytes());
    body.extend(head);
    body.extend(&inner[12..]);
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

#[test]
fn every_kind_of_picture_has_its_colours_and_is_turned_as_it_was_held() {
    let server = Server::start();
    let expected: Value = serde_json::from_slice(&photo("expected.json")).unwrap();
    let expected = expected.as_object().unwrap();
    assert!(expected.len() >= 27, "{}", expected.len());
    for (name, colours) in expected {
        let answer = upload(&server, &photo(name));
        assert_eq!(answer.status, 201, "{name}: {}", answer.body);
        let kept = answer.json();
        assert_eq!(answer.headers["location"], kept["url"].as_str().unwrap());
        let picture = served(&server, &kept);
        assert_eq!(picture.dimensions(), (16, 16), "{name}");
        for (quarter, (x, y)) in [(4, 4), (12, 4), (4, 12), (12, 12)].into_iter().enumerate() {
            for channel in 0..3 {
                let found = i64::from(picture.get_pixel(x, y).0[channel]);
                let right = colours[quarter][channel].as_i64().unwrap();
                let of = format!("{name}, quarter {quarter}: {found}, not {right}");
                assert!((found - right).abs() <= 4, "{of}");
            }
        }
    }
    assert_eq!(files(&server).len(), expected.len());
}

#[test]
fn what_is_no_picture_or_too_much_of_one_is_refused_in_words() {
    let server = Server::start();
    let rows = |bytes: usize| chunk(b"IDAT", &deflated(std::iter::repeat_n(0, bytes)));
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let half = |name: &str| {
        let bytes = photo(name);
        bytes[..bytes.len() / 2].to_vec()
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "is empty"),
        (
            "one byte",
            vec![0x89],
            "is no PNG, JPEG, WebP, GIF, BMP or TIFF",
        ),
        (
            "the beginning of a name",
            b"\x89PNG".to_vec(),
            "is no PNG, JPEG, WebP, GIF, BMP or TIFF",
        ),
        ("an SVG", svg.to_vec(), "is an SVG image"),
        (
            "a GIF",
            b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(),
            "cannot be decoded",
        ),
        (
            "a TIFF",
            b"II*\0\x08\0\0\0\0\0".to_vec(),
            "cannot be decoded",
        ),
        (
            "a page",
            b"<!doctype html><script>1</script>".to_vec(),
            "is no PNG, JPEG, WebP, GIF, BMP or TIFF",
        ),
        (
            "another RIFF",
            b"RIFF\x04\0\0\0WAVE".to_vec(),
            "is no PNG, JPEG, WebP, GIF, BMP or TIFF",
        ),
        ("a head alone", png(16, 16, 8, 2, &[]), "cannot be decoded"),
        ("half a PNG", half("rgb.png"), "cannot be decoded"),
        ("half a JPEG", half("rgb.jpg"), "is cut off"),
        ("half a WebP", half("lossless.webp"), "cannot be decoded"),
        (
            "a wide PNG",
            png(u32::MAX >> 1, 1 << 30, 8, 2, &[rows(64)]),
            "decoded",
        ),
        (
            "a large PNG",
            png(50_000, 50_000, 8, 2, &[rows(1 << 20)]),
            "50000x50000",
        ),
        (
            "a PNG just too large",
            png(64_001, 1000, 1, 0, &[rows(8002 * 1000)]),
            "64001x1000",
        ),
        ("no pixels", png(0, 10, 8, 2, &[rows(10)]), "decoded"),
        ("a large JPEG", jpeg_of_size(65_000, 65_000), "65000x65000"),
        ("a large WebP", webp_of_size(10_000, 10_000), "10000x10000"),
        ("a large canvas", webp_of_canvas(1 << 24), "decoded"),
        (
            "inks nobody explained",
            photo("cmyk-unmarked.jpg"),
            "is in CMYK",
        ),
        (
            "an unknown kind",
            png(16, 16, 8, 5, &[rows(1000)]),
            "decoded",
        ),
        (
            "no checksum",
            {
                let mut bytes = photo("rgb.png");
                bytes[29] ^= 1;
                bytes
            },
            "cannot be decoded",
        ),
    ];
    for (name, bytes, words) in cases {
        let answer = upload(&server, &bytes);
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["image".to_owned()]),
            "{name}"
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{name}: {detail}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    assert!(files(&server).is_empty());
}

#[test]
fn a_form_must_have_an_image_and_no_more_than_twenty_mebibytes() {
    let server = Server::start();
    let answer = send(&server, &form("file", Some("a.png"), &photo("rgb.png")));
    assert_eq!(
        (answer.status, answer.fields()),
        (422, vec!["image".to_owned()])
    );
    let large = vec![0; 21 << 20];
    let answer = upload(&server, &large);
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(
        answer.json()["detail"].as_str().unwrap().contains("20 MiB"),
        "{}",
        answer.body
    );
    let answer = server.post("/api/v1/images", &json!({"image": "photo.png"}));
    assert!((400..500).contains(&answer.status), "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert!(files(&server).is_empty());
    // A picture of almost that many bytes is one all the same.
    let noise = (0..18usize << 20).scan(1u32, |state, _| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    });
    let (side, mut rows) = (2500usize, Vec::new());
    let noise: Vec<_> = noise.take(side * side * 3 / 4 * 3).collect();
    let row = side * 9 / 4;
    for bytes in noise.chunks_exact(row) {
        rows.push(0);
        rows.extend_from_slice(bytes);
    }
    let height = rows.len() / (row + 1);
    let mut stored = ZlibEncoder::new(Vec::new(), Compression::none());
    stored.write_all(&rows).unwrap();
    let data = chunk(b"IDAT", &stored.finish().unwrap());
    let picture = png((row / 3) as u32, height as u32, 8, 2, &[data]);
    assert!(
        picture.len() > 12 << 20 && picture.len() < 20 << 20,
        "{}",
        picture.len()
    );
    let answer = upload(&server, &picture);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let longest = served(&server, &answer.json()).dimensions();
    assert_eq!(longest.0.max(longest.1), 1024);
}

#[test]
fn images_are_listed_newest_first_shown_and_removed() {
    let server = Server::start();
    let ids: Vec<_> = ["rgb.png", "grey.jpg", "turned-6.jpg"]
        .map(|name| {
            upload(&server, &photo(name)).json()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .into();
    let newest: Vec<_> = ids.iter().rev().map(|id| json!(id)).collect();
    let found = |server: &Server| -> Vec<_> {
        listed(server)
            .iter()
            .map(|image| image["id"].clone())
            .collect()
    };
    assert_eq!(found(&server), newest);
    let first = &listed(&server)[0];
    assert_eq!(
        (&first["width"], &first["height"]),
        (&json!(16), &json!(16))
    );
    assert!(first["created"].as_str().unwrap().starts_with("20"));
    let url = format!("/api/v1/images/{}.png", ids[0]);
    let (_, headers, _) = server.get_bytes(&url);
    let again = agent()
        .get(server.url(&url))
        .header("if-none-match", &headers["etag"])
        .call();
    assert_eq!(Answer::of(again).status, 304);
    assert_eq!(
        server.delete(&format!("/api/v1/images/{}", ids[0])).status,
        204
    );
    for answer in [
        server.get(&url),
        server.delete(&format!("/api/v1/images/{}", ids[0])),
        server.get("/api/v1/images/..%2f..%2findex.sqlite3.png"),
        server.get("/api/v1/images/%2e%2e.png"),
        server.get(&format!("/api/v1/images/{}", ids[1])),
        server.get(&format!("/api/v1/images/{}.png", ids[1].to_uppercase())),
        server.delete("/api/v1/images/rgb.png"),
    ] {
        assert_eq!(answer.status, 404, "{}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    assert_eq!(found(&server), newest[..2]);
}

#[test]
fn a_restarted_server_knows_its_images_and_clears_away_what_was_half_written() {
    let mut server = Server::start();
    upload(&server, &photo("rgb.png"));
    let before = listed(&server);
    server.kill();
    let folder = server.data_dir().join("images");
    fs::write(folder.join(".incoming-x1"), "half").unwrap();
    fs::write(folder.join("not-ours.png"), photo("rgb.png")).unwrap();
    server.restart();
    assert_eq!(listed(&server), before);
    assert!(!folder.join(".incoming-x1").exists());
}

#[test]
fn the_oldest_go_where_there_are_too_many() {
    let mut server = Server::start();
    let first = upload(&server, &photo("rgb.png")).json()["id"].clone();
    server.stop();
    let folder = server.data_dir().join("images");
    // As if they had been uploaded long ago, one after the other.
    for number in 0..499u64 {
        let name = format!("0190{number:04x}-0000-7000-8000-000000000000.png");
        fs::write(folder.join(name), photo("rgb.png")).unwrap();
    }
    server.restart();
    assert_eq!(listed(&server).len(), 500);
    upload(&server, &photo("grey.png"));
    let left = listed(&server);
    assert_eq!((left.len(), files(&server).len()), (500, 500));
    assert!(left.iter().any(|image| image["id"] == first));
    assert!(
        !folder
            .join("01900000-0000-7000-8000-000000000000.png")
            .exists()
    );
}

#[test]
fn another_site_cannot_upload() {
    let server = Server::start();
    let request = agent().post(server.url("/api/v1/images"));
    let request = request
        .header("content-type", form_type())
        .header("origin", "http://evil.example");
    let body = form("image", Some("a.png"), &photo("rgb.png"));
    assert_eq!(Answer::of(request.send(&body[..])).status, 403);
    assert!(files(&server).is_empty());
}

#[test]
fn after_a_storm_the_server_answers_and_nothing_is_left() {
    let server = Server::start();
    let memory = || -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    upload(&server, &photo("rgb.png"));
    let before = memory();
    // Thirty-six million pixels in forty kilobytes: allowed, and as much as a decoder is ever given.
    let row = 6000 * 3 + 1;
    let rows = chunk(b"IDAT", &deflated(std::iter::repeat_n(0, row * 6000)));
    let large = png(6000, 6000, 8, 2, &[rows]);
    let refused = [
        png(50_000, 50_000, 8, 2, &[]),
        jpeg_of_size(65_000, 65_000),
        webp_of_size(16_384, 16_384),
        b"GIF89a".to_vec(),
        vec![],
    ];
    std::thread::scope(|scope| {
        for sender in 0..12 {
            let (server, large, refused) = (&server, &large, &refused);
            scope.spawn(move || {
                for (turn, bytes) in refused.iter().enumerate() {
                    // On a slow machine there is no room for a while.
                    let mut answer = upload(server, bytes);
                    while answer.status == 429 {
                        answer = upload(server, bytes);
                    }
                    assert_eq!(answer.status, 422, "{}", answer.body);
                    if sender < 4 && turn == 2 {
                        let answer = upload(server, large);
                        assert!([201, 429].contains(&answer.status), "{}", answer.body);
                    }
                    // And somebody who goes away in the middle.
                    let mut stream = TcpStream::connect(&server.address).unwrap();
                    let body = form("image", Some("a.png"), &photo("rgb.png"));
                    write!(
                        stream,
                        "POST /api/v1/images HTTP/1.1\r\nhost: {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
                        server.address,
                        form_type(),
                        body.len()
                    )
                    .unwrap();
                    stream.write_all(&body[..body.len() / 2]).unwrap();
                }
            });
        }
        // Meanwhile it answers.
        for _ in 0..20 {
            assert_eq!(server.get("/healthz").status, 200);
        }
    });
    assert_eq!(server.get("/healthz").status, 200);
    assert!(
        files(&server).iter().all(|name| !name.starts_with('.')),
        "{:?}",
        files(&server)
    );
    assert_eq!(files(&server).len(), listed(&server).len());
    until("the memory is given back", || {
        memory() < before + (64 << 10)
    });
}

#[test]
fn a_body_that_is_no_form_is_refused_with_what_it_must_be() {
    let server = Server::start();
    for path in [
        "images",
        "datasets",
        "tensorboard",
        "networks/import",
        "runs/0199d3a0-0000-7000-8000-000000000000/predict",
    ] {
        for kind in ["multipart/form-data", "image/jpeg"] {
            let request = agent().post(server.url(&format!("/api/v1/{path}")));
            let answer = Answer::of(request.header("content-type", kind).send(&b"x"[..]));
            assert_eq!(answer.status, 400, "{path}: {}", answer.body);
            assert_eq!(answer.json()["title"], "Not a form", "{path}");
            assert!(answer.body.contains("boundary"), "{}", answer.body);
        }
    }
}

#[test]
fn a_form_without_a_boundary_is_refused_with_what_is_wanted() {
    let server = Server::start();
    for path in ["/images", "/datasets", "/tensorboard", "/networks/import"] {
        for kind in ["multipart/form-data", "application/json", "text/plain"] {
            let request = agent()
                .post(server.url(&format!("/api/v1{path}")))
                .header("content-type", kind);
            let answer = Answer::of(request.send(&b"--x\r\n\r\n--x--"[..]));
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(
                [400, 415].contains(&answer.status) && detail.contains("with its boundary"),
                "{path} {kind}: {} {detail}",
                answer.status
            );
        }
    }
}
