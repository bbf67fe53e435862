//! A token that misbehaves as it is told. Compiled by solc 0.8.37 for Cancun, with the optimizer, by IR,
//! without metadata, from:
//!
//! ```solidity
//! interface IAtomicRelease { function release(bytes32 id, uint8 leg) external; }
//! contract TestToken {
//!     mapping(address => uint256) public balanceOf;
//!     mapping(address => mapping(address => uint256)) public allowance;
//!     uint256 public mode;
//!     function mint(address to, uint256 amount) external { balanceOf[to] += amount; }
//!     function setMode(uint256 to) external { mode = to; }
//!     function approve(address spender, uint256 amount) external returns (bool) { allowance[msg.sender][spender] = amount; return true; }
//!     function transfer(address to, uint256 amount) external returns (bool) {
//!         require(mode != 3, "frozen");
//!         if (mode == 4) { while (true) {} }
//!         return move(msg.sender, to, amount);
//!     }
//!     function transferFrom(address from, address to, uint256 amount) external returns (bool) {
//!         if (mode == 7) { while (true) {} }
//!         allowance[from][msg.sender] -= amount;
//!         return move(from, to, amount);
//!     }
//!     function move(address from, address to, uint256 amount) private returns (bool) {
//!         if (mode == 1) return false;
//!         if (mode == 6) IAtomicRelease(msg.sender).release(0, 0);
//!         balanceOf[from] -= amount;
//!         balanceOf[to] += mode == 2 ? amount - 1 : amount;
//!         if (mode == 5) assembly { return(0, 0) }
//!         return true;
//!     }
//! }
//! ```

use alloy_primitives::{Bytes, hex};

alloy_sol_types::sol! {
    function balanceOf(address owner) external view returns (uint256);
    function mint(address to, uint256 amount) external;
    function setMode(uint256 to) external;
    function approve(address spender, uint256 amount) external returns (bool);
}

/// What creates it.
pub(super) fn creation() -> Bytes {
    Bytes::from_static(&CREATION)
}

/// What creates a contract of a code.
pub(super) fn creation_of(code: &[u8]) -> Bytes {
    // PUSH2 length DUP1 PUSH1 0a PUSH0 CODECOPY PUSH0 RETURN, then the code.
    let mut creation = vec![0x61];
    creation.extend((code.len() as u16).to_be_bytes());
    creation.extend(hex!("80600a5f395ff3"));
    creation.extend(code);
    creation.into()
}

const CREATION: [u8; 1189] = hex!(
    "6080806040523460155761048b908161001a8239f35b5f80fdfe60806040526004361015610011575f80fd5b5f3560e0"
    "1c8063095ea7b31461009457806323b872dd1461008f578063295a52121461008a57806340c10f191461008557806370"
    "a0823114610080578063a9059cbb1461007b578063d72dd3b4146100765763dd62ed3e14610071575f80fd5b6102df56"
    "5b6102c6565b61025b565b610224565b6101b5565b610198565b610101565b346100d15760403660031901126100d157"
    "6100ad6100d5565b6100c560243591335f52600160205260405f2061020f565b55602060405160018152f35b5f80fd5b"
    "600435906001600160a01b03821682036100d157565b602435906001600160a01b03821682036100d157565b346100d1"
    "5760603660031901126100d15761011a6100d5565b6101226100eb565b604435600760025414610188576001600160a0"
    "1b0383165f90815260016020526040902061015190339061020f565b918254938285039485116101835761017f946101"
    "6d94556103a8565b60405190151581529081906020820190565b0390f35b61032a565b5b610189565b5f9103126100d1"
    "57565b346100d1575f3660031901126100d1576020600254604051908152f35b346100d15760403660031901126100d1"
    "576101ce6100d5565b6001600160a01b03165f9081526020819052604090208054602435810191908210610183575500"
    "5b6001600160a01b03165f90815260208190526040902090565b9060018060a01b03165f5260205260405f2090565b34"
    "6100d15760203660031901126100d1576001600160a01b036102456100d5565b165f525f602052602060405f20546040"
    "51908152f35b346100d15760403660031901126100d1576102746100d5565b6024359060025460038114610298576004"
    "146101885761017f9161016d91336103a8565b60405162461bcd60e51b81526020600482015260066024820152653339"
    "37bd32b760d11b6044820152606490fd5b346100d15760203660031901126100d157600435600255005b346100d15760"
    "403660031901126100d15760206103216102fd6100d5565b6103056100eb565b6001600160a01b039091165f90815260"
    "0184526040902061020f565b54604051908152f35b634e487b7160e01b5f52601160045260245ffd5b5f198101919082"
    "1161018357565b9190820391821161018357565b9190820180921161018357565b601f909101601f1916810190600160"
    "0160401b0382119082101761038957604052565b634e487b7160e01b5f52604160045260245ffd5b6040513d5f823e3d"
    "90fd5b9091600254600181146104835760061461040d575b6103f2906103cd6103fa936101f6565b6103d88282546103"
    "4c565b905560028054036103ec576103ec9061033e565b926101f6565b918254610359565b905560056002541461040b"
    "57600190565b005b333b156100d15760405190633aebb2d360e01b82525f828061043c60048201905f60206040840193"
    "8281520152565b038183335af1801561047e576103fa936103f2936103cd92610464575b5093505090506103bd565b80"
    "6104725f61047893610366565b8061018e565b5f610459565b61039d565b505050505f9056"
);
