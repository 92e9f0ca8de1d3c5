use crate::{Block, MAX_PACKET_BYTES, StreamPacket};

/// Packs the blocks of one stretch of time into as few packets as fit, in the order
/// given; a block that does not fit is split between two samples.
///
/// `sequence` is the number of the newest packet (0 before the first) and is raised by
/// one for each. `device_time_us` is the stretch's start: all packets carry it, and the
/// blocks' offsets count from it. A stretch is shorter than an hour (offsets are 32 bit).
///
/// Blocks without a whole sample are left out; without any block there is no packet.
#[must_use]
pub fn packets(
    epoch: u32,
    sequence: &mut u32,
    device_time_us: u64,
    blocks: Vec<Block>,
) -> Vec<StreamPacket> {
    let mut packed: Vec<Vec<Block>> = Vec::new();
    let mut open = Filling::default();
    for block in blocks {
        let mut rest = Some(block);
        while let Some(block) = rest.filter(|block| !block.is_empty()) {
            rest = match open.push(block) {
                Ok(()) => None,
                Err(rest) => {
                    packed.push(std::mem::take(&mut open).blocks);
                    Some(rest)
                }
            };
        }
    }
    packed.push(open.blocks);
    packed.retain(|blocks| !blocks.is_empty());
    let number = |blocks| {
        *sequence += 1;
        StreamPacket { epoch, sequence: *sequence, device_time_us, replayed: false, blocks }
    };
    packed.into_iter().map(number).collect()
}

/// A packet that still has room.
struct Filling {
    blocks: Vec<Block>,
    room: usize,
}

impl Default for Filling {
    fn default() -> Self {
        Self { blocks: Vec::new(), room: MAX_PACKET_BYTES - HEADER_BYTES - CHECK_SUM_BYTES }
    }
}

impl Filling {
    /// Takes of the block what fits, and gives the rest back.
    fn push(&mut self, block: Block) -> Result<(), Block> {
        if self.blocks.iter().any(|other| other.channel == block.channel) {
            return Err(block);
        }
        let fits = fitting(&block, self.room);
        let (head, rest) = split_at(block, fits);
        if !head.is_empty() {
            self.room -= head.encoded_len();
            self.blocks.push(head);
        }
        if rest.is_empty() { Ok(()) } else { Err(rest) }
    }
}

/// The largest number of samples that fit; a prefix never takes fewer bytes than a
/// shorter one.
fn fitting(block: &Block, room: usize) -> usize {
    let (mut fits, mut too_many) = (0, block.len().min(room) + 1);
    while too_many - fits > 1 {
        let tried = usize::midpoint(fits, too_many);
        if prefix(block, tried).encoded_len() <= room {
            fits = tried;
        } else {
            too_many = tried;
        }
    }
    fits
}

fn prefix(block: &Block, samples: usize) -> Block {
    let integers = samples * block.channel.components();
    Block { samples: block.samples[..integers].to_vec(), ..*block }
}

fn split_at(block: Block, samples: usize) -> (Block, Block) {
    let head = prefix(&block, samples);
    let later = u32::try_from(samples).unwrap_or(u32::MAX).saturating_mul(block.period_us);
    let rest = Block {
        offset_us: block.offset_us.saturating_add(later),
        samples: block.samples[head.samples.len()..].to_vec(),
        ..block
    };
    (head, rest)
}

const HEADER_BYTES: usize = 2 + 4 + 4 + 8 + 1;
const CHECK_SUM_BYTES: usize = 2;
